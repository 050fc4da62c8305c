namespace Muster.Server.Features;

/// <summary>Every feature of the server, in the order in which they are registered and, where order shows,
/// run.</summary>
static class All
{
    /// <summary>Makes the features of a new server.</summary>
    public static Feature[] Create() =>
    [
        new Disco(),
        new Ping(),
        new Roster(),
        new Blocking(),
        new OfflineMessages(),
        new Carbons(),
        new Mam(),
        new StreamManagement(),
        new VcardTemp(),
        new PrivateXml(),
        new LastActivity(),
        new SoftwareVersion(),
        new EntityTime(),
        new ClientStates(),
        new AdHocCommands(),
        new Registration(),
        new Invitations(),
        new LoginTokens(),
        new GroupChat(),
        new RoomPings(),
        new ExternalComponents(),
        new CloudNotify(),
        new MucCloudNotify(),
        new WebPush(),
    ];
}
