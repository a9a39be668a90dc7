using Microsoft.Extensions.Logging;
using Streams.Queue;
using Streams.Schema;
using Streams.Wire.Handshake;

namespace Streams.Gateway;

/// <summary>Everything the gateway logs. Event ids 2000-2999; nothing per frame.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(2000, LogLevel.Information, "Gateway {Gateway} listens on {Address}: {Partitions} partitions, {Graphs} ingest graphs, pool {PoolBytes} bytes")]
    public static partial void Started(this ILogger logger, string gateway, string address, int partitions, int graphs, long poolBytes);

    [LoggerMessage(2001, LogLevel.Information, "Gateway stopped")]
    public static partial void Stopped(this ILogger logger);

    [LoggerMessage(2002, LogLevel.Debug, "Session {Session} of {Agent} began: generation {Generation}, from {Remote}, handshake {Milliseconds} ms")]
    public static partial void SessionBegan(this ILogger logger, string agent, string session, ulong generation, string remote, long milliseconds);

    [LoggerMessage(EventId = 2003, Message = "Session {Session} of {Agent} ended: {Reason}")]
    public static partial void SessionEnded(this ILogger logger, LogLevel level, string agent, string session, string reason);

    [LoggerMessage(2004, LogLevel.Warning, "Handshake refused: {Reason}, agent id '{Agent}', from {Remote}")]
    public static partial void HandshakeRefused(this ILogger logger, RefusalReason reason, string agent, string remote);

    [LoggerMessage(2005, LogLevel.Warning, "No session for {Agent} from {Remote} now: queue or worker did not answer, or the gateway drains; it was told to come again")]
    public static partial void SessionUnavailable(this ILogger logger, string agent, string remote);

    [LoggerMessage(2006, LogLevel.Error, "Ingest graph {Graph} ended by itself ({Failures} times now); it starts again in {RetryMs} ms and its sessions send again")]
    public static partial void GraphFailed(this ILogger logger, string graph, long failures, double retryMs, Exception? failure);

    [LoggerMessage(2007, LogLevel.Warning, "The queue is away: no credit is given until it is back; sessions live on")]
    public static partial void QueueAway(this ILogger logger);

    [LoggerMessage(2008, LogLevel.Information, "The queue is back: credit is given again")]
    public static partial void QueueBack(this ILogger logger);

    [LoggerMessage(2009, LogLevel.Warning, "Partition {Partition} does not take messages: {Outcome}; they are kept and sent again")]
    public static partial void PartitionTrouble(this ILogger logger, int partition, PublishOutcome outcome);

    [LoggerMessage(2010, LogLevel.Warning, "{Bytes} bytes of session keys are in memory that could not be locked: raise the limit (ulimit -l, LimitMEMLOCK)")]
    public static partial void KeysNotLocked(this ILogger logger, long bytes);

    [LoggerMessage(2011, LogLevel.Warning, "Connection from {Remote} refused before the upgrade: {Reason}")]
    public static partial void ConnectionRefused(this ILogger logger, string remote, string reason);

    [LoggerMessage(2012, LogLevel.Error, "Connection from {Remote} failed in a way that is a fault of the gateway")]
    public static partial void ConnectionFault(this ILogger logger, string remote, Exception fault);

    [LoggerMessage(2013, LogLevel.Warning, "The watch of the session store ended and starts again")]
    public static partial void SessionWatchEnded(this ILogger logger, Exception? failure);

    [LoggerMessage(2014, LogLevel.Error, "The worker could not be asked for the watermarks of {Agent}; the next heartbeat asks again")]
    public static partial void AskFailed(this ILogger logger, string agent, Exception fault);

    [LoggerMessage(2015, LogLevel.Error, "The outlet of partition {Partition} failed in a way that is a fault of the gateway; it goes on with what it has")]
    public static partial void OutletFault(this ILogger logger, int partition, Exception fault);

    [LoggerMessage(2016, LogLevel.Error, "A message of {Agent} could not be handed to the queue for partition {Partition}; its session ends and sends again")]
    public static partial void PublishFault(this ILogger logger, int partition, string agent, Exception fault);

    [LoggerMessage(2017, LogLevel.Error, "Sending to session {Session} failed in a way that is a fault of the gateway; the session ends")]
    public static partial void SenderFault(this ILogger logger, string session, Exception fault);

    [LoggerMessage(2018, LogLevel.Error, "A deadline could not be looked at, which is a fault of the gateway; the others were")]
    public static partial void WheelFault(this ILogger logger, Exception fault);

    [LoggerMessage(2020, LogLevel.Information, "Lane {Lane} of epoch {Epoch} of {Agent} goes back to {N}: that is what the worker expects")]
    public static partial void LaneRewound(this ILogger logger, string agent, Epoch epoch, uint lane, uint n);

    [LoggerMessage(2021, LogLevel.Warning, "Lane {Lane} of epoch {Epoch} of {Agent} waits from {N} on: the worker does not know that class or schema version")]
    public static partial void LaneHeld(this ILogger logger, string agent, Epoch epoch, uint lane, uint n);

    [LoggerMessage(2022, LogLevel.Warning, "No credit is given: {Reason}; sessions live on")]
    public static partial void CreditHeld(this ILogger logger, string reason);

    [LoggerMessage(2023, LogLevel.Information, "Credit is given again")]
    public static partial void CreditReleased(this ILogger logger);

    [LoggerMessage(2024, LogLevel.Warning, "{Agent} from {Remote} looks like a copy: {Reason}; both go on, under epochs of their own")]
    public static partial void CloneSeen(this ILogger logger, string agent, string remote, string reason);

    [LoggerMessage(2050, LogLevel.Warning, "Message '{MessageId}' of {Agent} in session {Session} refused: {Error}")]
    public static partial void MessageRefused(this ILogger logger, string agent, string session, string error, string messageId);

    [LoggerMessage(2051, LogLevel.Warning, "{Agent} did not take message '{MessageId}' in session {Session}: {Error}")]
    public static partial void MessageNotTaken(this ILogger logger, string agent, string session, string error, string messageId);

    [LoggerMessage(2052, LogLevel.Information, "Session {Session} of mode enrol began, from {Remote}")]
    public static partial void EnrolmentBegan(this ILogger logger, string session, string remote);

    [LoggerMessage(2053, LogLevel.Information, "Session {Session} of mode enrol ended: {Reason}")]
    public static partial void EnrolmentEnded(this ILogger logger, string session, string reason);

    [LoggerMessage(2054, LogLevel.Warning, "{Count} lines like the next were left out, because peers caused too many; counters and auth_failure rows have them")]
    public static partial void LinesLeftOut(this ILogger logger, long count);

    [LoggerMessage(2040, LogLevel.Information, "TLS certificate {File} was renewed: it is valid to {NotAfter:yyyy-MM-dd HH:mm} UTC; connections that exist stay")]
    public static partial void TlsReloaded(this ILogger logger, string file, DateTimeOffset notAfter);

    [LoggerMessage(2041, LogLevel.Error, "The renewed TLS files cannot be used, the certificate before stays in use: {Why}")]
    public static partial void TlsNotReloaded(this ILogger logger, string why);

    [LoggerMessage(2060, LogLevel.Error, "system alert {Kind}: {Subject}: {Detail}")]
    public static partial void SystemAlert(this ILogger logger, string kind, string subject, string detail);

    [LoggerMessage(2061, LogLevel.Information, "Refused handshakes are few again: {Count} within a minute")]
    public static partial void FailuresOver(this ILogger logger, long count);

    [LoggerMessage(2070, LogLevel.Information, "The gateway's certificate was renewed: {Gateway}, serial {Serial}, valid to {NotAfter:yyyy-MM-dd HH:mm} UTC; sessions that live go on")]
    public static partial void CertificateReloaded(this ILogger logger, string gateway, ulong serial, DateTimeOffset notAfter);

    [LoggerMessage(2071, LogLevel.Error, "The renewed key and certificate of the gateway cannot be used, those before stay in use: {Why}")]
    public static partial void CertificateNotReloaded(this ILogger logger, string why);

    [LoggerMessage(2072, LogLevel.Warning, "The watch of what fleet roots say ended and starts again")]
    public static partial void StatementsWatchEnded(this ILogger logger, Exception? failure);

    [LoggerMessage(2019, LogLevel.Error, "What the worker said of {Agent} could not be handled, which is a fault of the gateway")]
    public static partial void FlowFault(this ILogger logger, string agent, Exception fault);
}
