using Akka.Streams;
using Akka.Streams.Stage;
using Streams.Worker.Decode;

namespace Streams.Worker.Ranges;

/// <summary>
/// Batches in, ranges out. While nothing downstream asks (as many ranges are in flight as may be) the open range goes on growing past its
/// linger up to its limits: a busy engine gets larger blocks. At the end of the stream what is open is closed and handed on.
/// </summary>
internal sealed class RangeStage : GraphStage<FlowShape<IntakeItem, BatchRange>>
{
    private readonly Func<RangeBuilder> _builder;
    private readonly LingerClock _clock;
    private readonly Inlet<IntakeItem> _in = new("Range.in");
    private readonly Outlet<BatchRange> _out = new("Range.out");

    public RangeStage(Func<RangeBuilder> builder, LingerClock clock)
    {
        _builder = builder;
        _clock = clock;
        Shape = new FlowShape<IntakeItem, BatchRange>(_in, _out);
    }

    public override FlowShape<IntakeItem, BatchRange> Shape { get; }

    protected override GraphStageLogic CreateLogic(Attributes inheritedAttributes) => new Logic(this);

    private sealed class Logic : TimerGraphStageLogic
    {
        private static readonly object Linger = new();

        private readonly RangeStage _stage;
        private readonly RangeBuilder _open;
        private IntakeItem? _nextDay;

        public Logic(RangeStage stage)
            : base(stage.Shape)
        {
            _stage = stage;
            _open = stage._builder();
            SetHandler(stage._in, onPush: () => Take(Grab(stage._in)), onUpstreamFinish: Finish);
            SetHandler(stage._out, onPull: Offer);
        }

        public override void PreStart() => Pull(_stage._in);

        public override void PostStop()
        {
            _nextDay?.Batch?.Dispose();
            _open.Dispose();
        }

        protected override void OnTimer(object timerKey)
        {
            // The scheduler may be early by a tick of its wheel.
            if (!_open.IsEmpty && !_open.IsDue)
            {
                Schedule();
                return;
            }

            if (IsAvailable(_stage._out))
            {
                Offer();
            }
        }

        private void Take(in IntakeItem item)
        {
            if (_open.ChangesDay(item))
            {
                _nextDay = item;
                if (IsAvailable(_stage._out))
                {
                    Offer();
                }

                return;
            }

            Add(item);
            if (!_open.IsFull)
            {
                Pull(_stage._in);
            }
            else if (IsAvailable(_stage._out))
            {
                Offer();
            }
        }

        private void Add(in IntakeItem item)
        {
            var (first, due) = (_open.IsEmpty, _open.Deadline);
            _open.Add(item);
            if (first || _open.Deadline < due)
            {
                Schedule();
            }
        }

        private void Schedule() => ScheduleOnce(Linger, _stage._clock.Until(_open.Deadline));

        /// <summary>There is demand: close what must or may be closed.</summary>
        private void Offer()
        {
            if (_nextDay is { } item)
            {
                Push(_stage._out, _open.Close(CloseReason.DayChange));
                _nextDay = null;
                Add(item);
            }
            else if (_open.IsFull)
            {
                Push(_stage._out, _open.Close(_open.FullReason));
            }
            else if (_open.IsDue)
            {
                Push(_stage._out, _open.Close(_open.DueReason));
            }
            else
            {
                return;
            }

            if (!IsClosed(_stage._in) && !HasBeenPulled(_stage._in) && !_open.IsFull)
            {
                Pull(_stage._in);
            }
        }

        private void Finish()
        {
            var ranges = new List<BatchRange>(2);
            if (!_open.IsEmpty)
            {
                ranges.Add(_open.Close(_nextDay is null ? CloseReason.Drain : CloseReason.DayChange));
            }

            if (_nextDay is { } item)
            {
                _nextDay = null;
                _open.Add(item);
                ranges.Add(_open.Close(CloseReason.Drain));
            }

            EmitMultiple(_stage._out, ranges, CompleteStage);
        }
    }
}
