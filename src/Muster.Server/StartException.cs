namespace Muster.Server;

/// <summary>The server cannot start. The message is one line for the operator: what is wrong, and where.</summary>
public sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
