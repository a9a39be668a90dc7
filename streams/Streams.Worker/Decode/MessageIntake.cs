using Microsoft.Extensions.Logging;
using Streams.Schema;
using Streams.Worker.Admission;
using Streams.Worker.Commit;
using Streams.Worker.Recovery;

namespace Streams.Worker.Decode;

/// <summary>
/// Admits one message at a time and decodes its batches one by one, as they are asked for: a message that expands to gigabytes costs
/// the memory of one batch until a range takes it. The lane advances batch by batch, so that the watermark can never pass a batch
/// that was refused. Belongs to the graph of one partition.
/// </summary>
internal sealed class MessageIntake(
    int partition,
    LaneAdmission admission,
    BatchPool pool,
    StoredBatches stored,
    Watermarks watermarks,
    WorkerMetrics metrics,
    ILogger logger)
{
    private IncomingMessage? _message;
    private MessageHead _head;
    private ReadOnlyMemory<byte> _rest;
    private uint _index;

    /// <summary>True while <see cref="TryNext"/> has an item to give.</summary>
    public bool HasMore => _message is not null;

    /// <summary>Takes a message; <see cref="TryNext"/> then gives at least one item for it.</summary>
    public void Begin(IncomingMessage message)
    {
        metrics.Received(message.Payload.Length);
        _message = message;
        _rest = default;
        _index = 0;
        if (message.Head is not { } head)
        {
            metrics.Dropped(AdmissionKind.Malformed);
            logger.MessageMalformed(partition, message.Sequence);
            return;
        }

        _head = head;
        var verdict = admission.Check(head);
        switch (verdict.Kind)
        {
            case AdmissionKind.Accepted:
                _rest = message.Payload;
                SkipAdmitted(verdict.Skip);
                return;
            case AdmissionKind.Duplicate:
                // The agent would not have sent it had it known: tell it again.
                watermarks.Repeat(head.Key, head.Epoch);
                break;
            case AdmissionKind.Gap when verdict.AskRewind:
                watermarks.Rewind(head.Key, head.Epoch, verdict.Expected);
                metrics.Rewound();
                logger.LaneRewound(head.Key, verdict.Expected, head.First);
                break;
            case AdmissionKind.Malformed:
                logger.MessageMalformed(partition, message.Sequence);
                break;
        }

        metrics.Dropped(verdict.Kind);
    }

    /// <summary>The next step of the message; false when it is consumed.</summary>
    public bool TryNext(out IntakeItem item)
    {
        item = default;
        if (_message is not { } message)
        {
            return false;
        }

        if (_rest.IsEmpty || !TryDecode(out var batch))
        {
            _message = null;
            item = new IntakeItem(null, message.Sequence, EndsMessage: true);
            return true;
        }

        var last = _index == _head.Count;
        if (last)
        {
            _message = null;
            if (!_rest.IsEmpty)
            {
                logger.MessageTrailing(_head.Key, message.Sequence, _rest.Length);
                metrics.Refused(Refusal.WrongCount);
            }
        }

        item = new IntakeItem(batch, message.Sequence, last);
        return true;
    }

    private void SkipAdmitted(uint skip)
    {
        while (_index < skip && !_rest.IsEmpty)
        {
            if (!BatchHeader.TryRead(_rest.Span, out var header, out var error) || header.TotalLength > _rest.Length)
            {
                Refuse(Refusal.Undecodable, error);
                return;
            }

            _rest = _rest[header.TotalLength..];
            _index++;
        }

        if (skip != 0)
        {
            metrics.Skipped(skip);
        }

        if (_rest.IsEmpty)
        {
            Refuse(Refusal.WrongCount, default);
        }
    }

    private bool TryDecode(out StagedBatch? batch)
    {
        batch = null;
        var sequence = new BatchSequence(_rest);
        if (!sequence.MoveNext())
        {
            return Refuse(sequence.Error.IsUnknown ? Refusal.Unknown : Refusal.Undecodable, sequence.Error);
        }

        var n = _head.First + _index;
        if (sequence.Header.Name != new BatchName(_head.Epoch, _head.Lane, n))
        {
            return Refuse(Refusal.WrongName, default);
        }

        var rented = pool.Rent();
        var refusal = Decode(sequence.Current, rented, out var error);
        if (refusal != Refusal.None)
        {
            rented.Dispose();
            return Refuse(refusal, error);
        }

        _rest = _rest[sequence.Current.Length..];
        _index++;
        if (_rest.IsEmpty && _index < _head.Count)
        {
            // What is there is good; what was promised beside it is asked for again when the next message of the lane arrives.
            logger.MessageShort(_head.Key, _index, _head.Count);
            metrics.Refused(Refusal.WrongCount);
            _head = _head with { Count = _index };
        }

        admission.Advance(_head.Key, n);
        metrics.Admitted(rented.Decoded);
        batch = rented;
        return true;
    }

    private Refusal Decode(ReadOnlyMemory<byte> bytes, StagedBatch target, out BatchError error)
    {
        if (!BatchDecoder.TryDecode(bytes, target.Decoded, out error))
        {
            return error.IsUnknown ? Refusal.Unknown : Refusal.Undecodable;
        }

        if (target.Decoded.Header.SchemaVersion > target.Decoded.Class.Version)
        {
            return Refusal.Unknown;
        }

        target.Head = _head;
        switch (stored.Find(target.Lane, target.Name.N, target.Decoded.Rows))
        {
            case StoredState.Complete:
                target.Stored = true;
                return Refusal.None;
            case StoredState.Partial:
                return Refusal.PartlyStored;
            default:
                return Refusal.None;
        }
    }

    private bool Refuse(Refusal refusal, BatchError error)
    {
        admission.Hold(_head.Key);
        metrics.Refused(refusal);
        logger.BatchRefused(_head.Key, _head.First + _index, refusal, error);
        _rest = default;
        return false;
    }
}
