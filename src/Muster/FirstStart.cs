using Muster.Server.Config;

namespace Muster;

/// <summary>What a server has that nobody has configured.</summary>
static class FirstStart
{
    /// <summary>The administrator's account.</summary>
    public const string Admin = "admin@localhost";

    /// <summary>What is not at its default.</summary>
    public const string Text = """
        [acl]
          admin = [{ user = "admin", server = "localhost" }]
        [modules.mod_muc]
          access_admin = "muc_admin"
        """;

    /// <summary>The configuration: everything at its default, and an administrator.</summary>
    public static ServerConfig Config { get; } = ConfigCheck.Parse(Text, "first start").Config!;
}
