using Streams.Schema;

namespace Streams.AgentLink;

/// <summary>Told of one ledger entry of a kept batch: what of (sensor instance, class, cpu) is safe without any watermark.</summary>
/// <param name="losses">The entry's losses by cause; valid during the call.</param>
public delegate void SpooledEntryVisitor(Epoch sensorEpoch, ushort classId, in LedgerEntry entry, ReadOnlySpan<LossCount> losses);
