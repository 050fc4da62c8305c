namespace Muster.Commands;

/// <summary>A command could not do what it was asked for. The message is one line for the person who asked.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="exit">1: refused; 2: asked wrongly.</param>
sealed class CommandException(string message, int exit = CommandLine.Refused) : Exception(message)
{
    /// <summary>The exit code.</summary>
    public int Exit { get; } = exit;
}
