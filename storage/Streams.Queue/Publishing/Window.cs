using System.Diagnostics;

namespace Streams.Queue.Publishing;

/// <summary>
/// The messages without an answer, a ring by ticket. Answers may come in any order; results leave in the order of tickets. Not
/// synchronised: the publisher's lock guards it.
/// </summary>
internal sealed class Window(int capacity, long maxBytes)
{
    private readonly Slot[] _slots = new Slot[capacity];
    private ulong _head;
    private ulong _tail;
    private long _bytes;

    public int Count => (int)(_tail - _head);

    public bool HasRoom(int bytes) => Count == 0 || (Count < capacity && _bytes + bytes <= maxBytes);

    public (ulong Ticket, int Slot) Add(int bytes, object? state)
    {
        var index = (int)(_tail % (ulong)capacity);
        _slots[index] = new Slot { Bytes = bytes, State = state, SentAt = Stopwatch.GetTimestamp() };
        _bytes += bytes;
        return (_tail++, index);
    }

    /// <summary>False if the slot has its answer, or is free: a late or repeated answer.</summary>
    public bool TryAnswer(int index, PublishOutcome outcome, ulong sequence, int errorCode)
    {
        if ((uint)index >= (uint)capacity || !IsInFlight(index) || _slots[index].Answered)
            return false;
        ref var slot = ref _slots[index];
        slot.Answered = true;
        slot.Outcome = outcome;
        slot.Sequence = sequence;
        slot.ErrorCode = errorCode;
        return true;
    }

    /// <summary>Answers all that have none.</summary>
    public void AnswerAll(PublishOutcome outcome)
    {
        for (var ticket = _head; ticket != _tail; ticket++)
            TryAnswer((int)(ticket % (ulong)capacity), outcome, 0, 0);
    }

    /// <summary>Whether the oldest message without an answer is older than this.</summary>
    public bool IsOverdue(TimeSpan timeout)
    {
        for (var ticket = _head; ticket != _tail; ticket++)
        {
            ref var slot = ref _slots[(int)(ticket % (ulong)capacity)];
            if (!slot.Answered)
                return Stopwatch.GetElapsedTime(slot.SentAt) > timeout;
        }

        return false;
    }

    /// <summary>Takes the oldest message out if it has its answer.</summary>
    public bool TryTake(out PublishResult result)
    {
        ref var slot = ref _slots[(int)(_head % (ulong)capacity)];
        if (_head == _tail || !slot.Answered)
        {
            result = default;
            return false;
        }

        result = new PublishResult(_head, slot.Outcome, slot.Sequence, slot.ErrorCode, slot.Bytes, slot.State);
        _bytes -= slot.Bytes;
        slot = default;
        _head++;
        return true;
    }

    private bool IsInFlight(int index) => ((ulong)index + (ulong)capacity - (_head % (ulong)capacity)) % (ulong)capacity < (ulong)Count;

    private struct Slot
    {
        public int Bytes;
        public object? State;
        public long SentAt;
        public bool Answered;
        public PublishOutcome Outcome;
        public ulong Sequence;
        public int ErrorCode;
    }
}
