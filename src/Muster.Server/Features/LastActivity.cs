namespace Muster.Server.Features;
sealed class LastActivity { public const string Ns = "jabber:iq:last"; }
