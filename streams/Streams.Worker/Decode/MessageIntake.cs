using Microsoft.Extensions.Logging;
using Streams.Queue;
using Streams.Schema;
using Streams.Schema.Json;
using Streams.Worker.Admission;
using Streams.Worker.Commit;

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
    BatchJudge judge,
    Watermarks watermarks,
    ISystemAlerts alerts,
    WorkerMetrics metrics,
    ILogger logger) : IDisposable
{
    // Only a partition that hears from a JSON agent needs one.
    private JsonBatchReader? _json;
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
            case AdmissionKind.Gap when verdict.AskAgain:
                watermarks.Rewind(head.Key, head.Epoch, verdict.Expected);
                metrics.Rewound();
                logger.LaneRewound(head.Key, verdict.Expected, head.First);
                break;
            case AdmissionKind.Held when verdict.AskAgain:
                // The hold may have been lost on its way.
                watermarks.Hold(head.Key, head.Epoch, verdict.Expected);
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
                Refuse(Refusal.Undecodable, error.ToString());
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

    public void Dispose() => _json?.Dispose();

    private bool TryDecode(out StagedBatch? batch)
    {
        batch = null;
        if (_message!.Encoding == MessageEncoding.Json)
        {
            return TryDecodeText(out batch);
        }

        return TryDecodeBinary(_rest, out batch);
    }

    /// <summary>A JSON message is one batch: its binary form goes the way of all, its text to the dead letters when it has none.</summary>
    private bool TryDecodeText(out StagedBatch? batch)
    {
        batch = null;
        var text = _rest;
        _json ??= new JsonBatchReader();
        if (_head.Count != 1)
        {
            return Refuse(Refusal.WrongCount, default);
        }

        var name = new BatchName(_head.Epoch, _head.Lane, _head.First);
        switch (_json.TryConvert(text.Span, name, out var converted, out var error))
        {
            case JsonBatchOutcome.Ok:
                _rest = converted;
                return TryDecodeBinary(converted, out batch);
            case JsonBatchOutcome.Unknown:
                return Refuse(Refusal.Unknown, error.ToString());
            case JsonBatchOutcome.WrongName:
                return Refuse(Refusal.WrongName, default);
        }

        var rented = pool.Rent();
        rented.Head = _head;
        rented.Name = name;
        var refusal = judge.JudgeText(text.Span, error, rented);
        if (refusal != Refusal.None)
        {
            rented.Dispose();
            return Refuse(refusal, error.ToString());
        }

        Admit(rented, text.Length);
        batch = rented;
        return true;
    }

    private bool TryDecodeBinary(ReadOnlyMemory<byte> bytes, out StagedBatch? batch)
    {
        batch = null;
        var sequence = new BatchSequence(bytes);
        if (!sequence.MoveNext())
        {
            return Refuse(sequence.Error.IsUnknown ? Refusal.Unknown : Refusal.Undecodable, sequence.Error.ToString());
        }

        var n = _head.First + _index;
        if (sequence.Header.Name != new BatchName(_head.Epoch, _head.Lane, n))
        {
            return Refuse(Refusal.WrongName, default);
        }

        var rented = pool.Rent();
        rented.Head = _head;
        rented.Name = sequence.Header.Name;
        var refusal = judge.Judge(sequence.Current.Span, sequence.Header, rented, out var error);
        if (refusal != Refusal.None)
        {
            rented.Dispose();
            return Refuse(refusal, error.Kind == BatchErrorKind.None ? null : error.ToString());
        }

        Admit(rented, sequence.Current.Length);
        batch = rented;
        return true;
    }

    private void Admit(StagedBatch batch, int length)
    {
        var n = batch.Name.N;
        _rest = _rest[length..];
        _index++;
        if (_rest.IsEmpty && _index < _head.Count)
        {
            // What is there is good; what was promised beside it is asked for again when the next message of the lane arrives.
            logger.MessageShort(_head.Key, _index, _head.Count);
            metrics.Refused(Refusal.WrongCount);
            _head = _head with { Count = _index };
        }

        admission.Advance(_head.Key, n);
        watermarks.Admit(_head.Key, _head.Epoch, n + 1);
        if (batch.Letter is null)
        {
            metrics.Admitted(batch.Decoded);
        }
    }

    private bool Refuse(Refusal refusal, string? error)
    {
        var n = _head.First + _index;
        admission.Hold(_head.Key, _head.Generation);
        watermarks.Hold(_head.Key, _head.Epoch, n);
        metrics.Refused(refusal);
        metrics.Held();
        alerts.Raise(
            refusal == Refusal.PartlyStored ? "batch_partly_stored" : refusal == Refusal.QuotaExceeded ? "dead_letter_quota" : "lane_held",
            _head.Key.ToString(),
            error is null ? $"held at batch {n}: {refusal}" : $"held at batch {n}: {refusal}, {error}");
        _rest = default;
        return false;
    }
}
