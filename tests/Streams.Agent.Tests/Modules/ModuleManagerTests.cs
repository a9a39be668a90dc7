using Streams.Agent.Logging;
using Streams.Agent.Modules.Core;

namespace Streams.Agent.Tests.Modules;

public sealed class ModuleManagerTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    private readonly List<string> _journal = [];
    private readonly ManualClock _clock = new();
    private int _wakes;

    [Fact]
    public void Modules_start_in_the_specifications_order_and_stop_in_reverse()
    {
        var manager = Manager(Fake("observability"), Fake("telemetry"), Fake("websocket_comm"));
        manager.StartAll(Deadline);
        manager.StopAll(Deadline);
        Assert.Equal(
            ["start websocket_comm", "start telemetry", "start observability", "stop observability", "stop telemetry", "stop websocket_comm"], _journal);
    }

    [Fact]
    public void The_declared_order_is_the_specifications() => Assert.Equal(
        ["core", "websocket_comm", "telemetry", "observability", "analysis", "threat_intel", "policy"],
        ModuleDeclarations.InStartOrder.Select(declaration => declaration.Name));

    [Fact]
    public void A_module_that_cannot_start_ends_the_start_and_stops_the_others()
    {
        var telemetry = Fake("telemetry");
        telemetry.FailingStarts = 1;
        var manager = Manager(Fake("websocket_comm"), telemetry, Fake("observability"));
        var error = Assert.Throws<AgentException>(() => manager.StartAll(Deadline));
        Assert.Equal("telemetry cannot start; mend it", error.Message);
        Assert.Equal(["start websocket_comm", "refuse telemetry", "stop websocket_comm"], _journal);
    }

    [Fact]
    public void A_failed_module_is_restarted_with_growing_delays()
    {
        var module = Fake("telemetry");
        var manager = Manager(module);
        manager.StartAll(Deadline);
        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60 })
        {
            module.Failed!("broken");
            manager.Poll();
            Assert.Equal(TimeSpan.FromSeconds(seconds), manager.NextRestartIn);
            _clock.Pass(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            manager.Poll();
            Assert.Equal(ModuleState.BackingOff, Status(manager).State);
            _clock.Pass(TimeSpan.FromMilliseconds(1));
            manager.Poll();
            Assert.Equal(ModuleState.Running, Status(manager).State);
        }

        Assert.Equal(8u, Status(manager).Restarts);
        Assert.Equal("broken", Status(manager).LastFailure);
        Assert.Equal(8, _wakes);
        _clock.Pass(RestartBackOff.Forget + TimeSpan.FromSeconds(1));
        module.Failed!("again");
        manager.Poll();
        Assert.Equal(TimeSpan.FromSeconds(1), manager.NextRestartIn);
    }

    [Theory]
    [InlineData(1970)]
    [InlineData(2126)]
    public void A_wall_clock_that_is_set_changes_no_restart(int year)
    {
        var module = Fake("telemetry");
        var manager = Manager(module);
        manager.StartAll(Deadline);
        module.Failed!("broken");
        manager.Poll();
        _clock.SetWall(new DateTimeOffset(year, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal(TimeSpan.FromSeconds(1), manager.NextRestartIn);
        manager.Poll();
        Assert.Equal(ModuleState.BackingOff, Status(manager).State);
        _clock.Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.Zero, manager.NextRestartIn);
        manager.Poll();
        Assert.Equal(ModuleState.Running, Status(manager).State);
        Assert.Null(manager.NextRestartIn);
    }

    [Fact]
    public void A_restart_that_fails_backs_off_further()
    {
        var module = Fake("telemetry");
        var manager = Manager(module);
        manager.StartAll(Deadline);
        module.FailingStarts = 1;
        module.Failed!("broken");
        manager.Poll();
        _clock.Pass(TimeSpan.FromSeconds(1));
        manager.Poll();
        Assert.Equal(TimeSpan.FromSeconds(2), manager.NextRestartIn);
        Assert.Equal("telemetry cannot start; mend it", Status(manager).LastFailure);
    }

    [Fact]
    public void Dependants_stop_before_a_failed_module_and_start_after_it()
    {
        ModuleDeclaration[] declarations = [new("a", true), new("b", true, "a"), new("c", true, "b"), new("d", true)];
        var a = Fake("a");
        var manager = Manager(declarations, a, Fake("b"), Fake("c"), Fake("d"));
        manager.StartAll(Deadline);
        _journal.Clear();
        a.Failed!("broken");
        manager.Poll();
        Assert.Equal(["stop c", "stop b", "stop a"], _journal);
        _journal.Clear();
        _clock.Pass(TimeSpan.FromSeconds(1));
        manager.Poll();
        Assert.Equal(["start a", "start b", "start c"], _journal);
    }

    [Fact]
    public void A_late_report_of_an_earlier_run_changes_nothing()
    {
        var module = Fake("telemetry");
        var manager = Manager(module);
        manager.StartAll(Deadline);
        var late = module.Failed!;
        late("first");
        manager.Poll();
        _clock.Pass(TimeSpan.FromSeconds(1));
        manager.Poll();
        late("late");
        manager.Poll();
        Assert.Equal(ModuleState.Running, Status(manager).State);
        Assert.Equal("first", Status(manager).LastFailure);
    }

    [Fact]
    public void A_module_that_fails_to_stop_does_not_hold_up_the_others()
    {
        var telemetry = Fake("telemetry");
        telemetry.FailsToStop = true;
        var manager = Manager(Fake("websocket_comm"), telemetry);
        manager.StartAll(Deadline);
        manager.StopAll(Deadline);
        Assert.Equal("stop websocket_comm", _journal[^1]);
    }

    [Fact]
    public void Ten_modules_with_Core_are_allowed_and_eleven_are_not()
    {
        var declarations = Enumerable.Range(0, 10).Select(i => new ModuleDeclaration("m" + i, true)).ToArray();
        var modules = declarations.Select(declaration => Fake(declaration.Name)).ToArray();
        Manager(declarations, modules[..9]);
        var error = Assert.Throws<AgentException>(() => Manager(declarations, modules));
        Assert.Contains("11 modules are enabled, allowed are 10", error.Message);
    }

    [Fact]
    public void What_cannot_run_is_refused_by_name()
    {
        Assert.Contains("analysis module is not built in yet", Refusal(Fake("observability"), Fake("analysis")));
        Assert.Contains("twice", Refusal(Fake("telemetry"), Fake("telemetry")));
        Assert.Contains("does not know", Refusal(Fake("weather")));
        ModuleDeclaration[] declarations = [new("a", true), new("b", true, "a")];
        Assert.Contains("needs the a module", Assert.Throws<AgentException>(() => Manager(declarations, Fake("b"))).Message);
    }

    private string Refusal(params FakeModule[] modules) => Assert.Throws<AgentException>(() => Manager(modules)).Message;

    private FakeModule Fake(string name) => new(name, _journal);

    private ModuleManager Manager(params FakeModule[] modules) => Manager(ModuleDeclarations.InStartOrder, modules);

    private ModuleManager Manager(ModuleDeclaration[] declarations, params FakeModule[] modules) =>
        new(modules, declarations, new AgentLog(Stream.Null, AgentLogLevel.Debug, _clock), _clock, static () => 0, () => _wakes++);

    private static ModuleStatus Status(ModuleManager manager)
    {
        var list = new List<ModuleStatus>();
        manager.CopyStatus(list);
        return list[0];
    }
}
