using Microsoft.Extensions.Logging;
using Muster.Protocol.Addresses;

namespace Muster.Server.Telemetry;

/// <summary>What is logged of accounts, their sessions and their messages. Event ids 2000 to 2099.</summary>
static partial class AccountsLog
{
    [LoggerMessage(2000, LogLevel.Error, "a {kind} from {from} to {to} could not be handled: {problem}")]
    public static partial void StoreFailed(ILogger log, string kind, Jid from, Jid to, string problem);

    [LoggerMessage(2001, LogLevel.Warning, "{jid}: has as many sessions as it may have ({max})")]
    public static partial void TooManySessions(ILogger log, Jid jid, int max);

    [LoggerMessage(2002, LogLevel.Warning, "{jid}: as many messages wait for it as may ({max}); more are refused")]
    public static partial void OfflineFull(ILogger log, Jid jid, int max);

    [LoggerMessage(2003, LogLevel.Error, "{jid}: a stored message cannot be read and was left out")]
    public static partial void StoredUnreadable(ILogger log, Jid jid);

    [LoggerMessage(2004, LogLevel.Warning,
        "{jid}: as many subscription requests wait for it as may ({max}); more are dropped")]
    public static partial void TooManyRequests(ILogger log, Jid jid, int max);

    [LoggerMessage(2007, LogLevel.Warning, "{jid}: its last activity could not be stored: {problem}")]
    public static partial void LastActivityLost(ILogger log, Jid jid, string problem);

    [LoggerMessage(2008, LogLevel.Information, "{jid}: registered from {address}")]
    public static partial void Registered(ILogger log, Jid jid, string address);

    [LoggerMessage(2009, LogLevel.Information, "{jid}: account removed by its owner")]
    public static partial void Removed(ILogger log, Jid jid);

    [LoggerMessage(2011, LogLevel.Warning, "{jid}: so many clients have tokens ({max}) that the oldest lost theirs")]
    public static partial void TooManyTokens(ILogger log, Jid jid, int max);

    [LoggerMessage(2012, LogLevel.Warning, "{jid}: its tokens cannot be asked for or written: {problem}")]
    public static partial void TokensUnavailable(ILogger log, Jid jid, string problem);
    [LoggerMessage(2013, LogLevel.Error, "{jid}: what a session must leave behind could not be stored: {problem}")]
    public static partial void SessionNotKept(ILogger log, Jid jid, string problem);

    [LoggerMessage(2014, LogLevel.Error,
        "sessions and occupants could not be kept for the next start, which will be as after a crash: {problem}")]
    public static partial void NotSaved(ILogger log, string problem);

    [LoggerMessage(2015, LogLevel.Error,
        "{count} sessions are not kept for the next start and their clients must log in anew, {jid} first: {problem}")]
    public static partial void SessionsNotSaved(ILogger log, int count, Jid jid, string problem);

    [LoggerMessage(2016, LogLevel.Error, "{jid}: what its client sent is not stored in time; is the database stuck?")]
    public static partial void NotSettled(ILogger log, Jid jid);

    [LoggerMessage(2010, LogLevel.Warning, "{address}: registers too often")]
    public static partial void RegistersTooOften(ILogger log, string address);
}
