using Akka.Streams;
using Akka.Streams.Stage;

namespace Streams.Worker.Decode;

/// <summary>
/// Messages in, batches out: runs a <see cref="MessageIntake"/> by demand, one batch per pull. What it cannot use is a value, never an
/// exception, so nothing here needs a decider.
/// </summary>
internal sealed class IntakeStage : GraphStage<FlowShape<IncomingMessage, IntakeItem>>
{
    private readonly MessageIntake _intake;
    private readonly Inlet<IncomingMessage> _in = new("Intake.in");
    private readonly Outlet<IntakeItem> _out = new("Intake.out");

    public IntakeStage(MessageIntake intake)
    {
        _intake = intake;
        Shape = new FlowShape<IncomingMessage, IntakeItem>(_in, _out);
    }

    public override FlowShape<IncomingMessage, IntakeItem> Shape { get; }

    protected override GraphStageLogic CreateLogic(Attributes inheritedAttributes) => new Logic(this);

    private sealed class Logic : GraphStageLogic
    {
        public Logic(IntakeStage stage)
            : base(stage.Shape)
        {
            SetHandler(
                stage._in,
                onPush: () =>
                {
                    stage._intake.Begin(Grab(stage._in));
                    Continue();
                },
                onUpstreamFinish: () =>
                {
                    // The message at hand may have batches left; it is finished by the pulls that follow.
                    if (!stage._intake.HasMore)
                    {
                        CompleteStage();
                    }
                });
            SetHandler(stage._out, onPull: Continue);

            void Continue()
            {
                if (stage._intake.TryNext(out var item))
                {
                    Push(stage._out, item);
                    if (IsClosed(stage._in) && !stage._intake.HasMore)
                    {
                        CompleteStage();
                    }
                }
                else if (IsClosed(stage._in))
                {
                    CompleteStage();
                }
                else if (!HasBeenPulled(stage._in))
                {
                    Pull(stage._in);
                }
            }
        }
    }
}
