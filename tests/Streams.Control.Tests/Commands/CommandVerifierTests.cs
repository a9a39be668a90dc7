using Streams.Control.Commands;

namespace Streams.Control.Tests.Commands;

public sealed class CommandVerifierTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset BadBefore = new(2025, 11, 11, 0, 0, 0, TimeSpan.Zero);

    private readonly SetClock _time = new(Now);

    [Theory]
    [InlineData("status", CommandRefusal.None)]
    [InlineData("report", CommandRefusal.None)]
    [InlineData("collect", CommandRefusal.None)]
    [InlineData("kill", CommandRefusal.WrongSigner)]
    [InlineData("isolate", CommandRefusal.WrongSigner)]
    [InlineData("module.stop", CommandRefusal.WrongSigner)]
    [InlineData("module.start", CommandRefusal.WrongSigner)]
    [InlineData("module.configure", CommandRefusal.WrongSigner)]
    [InlineData("policy.off", CommandRefusal.WrongSigner)]
    [InlineData("policy.whatever-comes", CommandRefusal.WrongSigner)]
    [InlineData("rotate", CommandRefusal.WrongSigner)]
    [InlineData("re-register", CommandRefusal.WrongSigner)]
    [InlineData("config", CommandRefusal.WrongSigner)]
    [InlineData("run", CommandRefusal.UnknownKind)]
    public void The_services_key_may_ask_and_change_nothing(string kind, CommandRefusal expected)
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        Assert.Equal(expected, Verifier(issuer).CheckSigner(issuer.Sign(_time.Now, f => f with { Kind = kind })));
    }

    [Fact]
    public void A_service_cannot_pass_its_certificate_off_as_an_operators()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        var document = issuer.Sign(Now, f => f with { Kind = "kill" }, claimed: CommandSigner.Operator);
        Assert.Equal(CommandRefusal.BadCertificate, Verifier(issuer).CheckSigner(document));
    }

    [Fact]
    public void An_operators_key_is_good_for_everything()
    {
        using var issuer = new Issuer(CommandSigner.Operator, Now);
        Assert.All(CommandTable.Kinds, kind =>
            Assert.Equal(CommandRefusal.None, Verifier(issuer).CheckSigner(issuer.Sign(Now, f => f with { Kind = kind }))));
    }

    [Fact]
    public void Another_root_or_dates_that_do_not_hold_are_refused()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        using var other = new Issuer(CommandSigner.Service, Now);
        Assert.Equal(CommandRefusal.UnknownRoot, Verifier(other).CheckSigner(issuer.Sign(Now)));
        issuer.Certificate = issuer.Certify(CommandSigner.Service, Now.AddDays(-9), Now.AddDays(-8));
        Assert.Equal(CommandRefusal.CertificateExpired, Verifier(issuer).CheckSigner(issuer.Sign(Now)));
        issuer.Certificate = issuer.Certify(CommandSigner.Service, Now.AddDays(8), Now.AddDays(9));
        Assert.Equal(CommandRefusal.CertificateNotYetValid, Verifier(issuer).CheckSigner(issuer.Sign(Now)));
        issuer.Certificate = issuer.Certify(CommandSigner.Service, Now.AddMinutes(-1), Now.AddDays(9));
        Assert.Equal(CommandRefusal.CertificateExpired, Verifier(issuer).CheckSigner(issuer.Sign(Now.AddDays(-2))));
        Assert.Equal(CommandRefusal.NotYet, Verifier(issuer).CheckSigner(issuer.Sign(Now.AddMinutes(6))));
        Assert.Equal(CommandRefusal.None, Verifier(issuer).CheckSigner(issuer.Sign(Now.AddMinutes(4))));
    }

    [Fact]
    public void Terms_are_addressee_start_and_deadline()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        var document = issuer.Sign(Now);
        Assert.Equal(CommandRefusal.None, Verifier(issuer).CheckTerms(document));
        Assert.Equal(CommandRefusal.NotForThisAgent, new CommandVerifier(() => issuer.Roots, () => null, "agent-3", Clock()).CheckTerms(document));
        var later = issuer.Sign(Now, f => f with { NotBefore = Issuer.Micros(Now.AddMinutes(9)) });
        Assert.Equal(CommandRefusal.NotYet, Verifier(issuer).CheckTerms(later));
        _time.Now = Now.AddMinutes(11);
        Assert.Equal(CommandRefusal.Expired, Verifier(issuer).CheckTerms(document));
    }

    [Fact]
    public void A_clock_that_is_set_back_revives_nothing()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        var old = issuer.Sign(Now.AddHours(-1));
        var verifier = Verifier(issuer);
        Assert.Equal(CommandRefusal.None, verifier.CheckSigner(issuer.Sign(Now)));
        _time.Now = Now.AddHours(-2);
        Assert.Equal(CommandRefusal.None, verifier.CheckSigner(old));
        Assert.Equal(CommandRefusal.Expired, verifier.CheckTerms(old));
    }

    [Fact]
    public void A_host_in_1970_runs_commands_and_lets_old_ones_expire()
    {
        using var issuer = new Issuer(CommandSigner.Service, Now);
        _time.Now = DateTimeOffset.UnixEpoch.AddDays(1);
        var verifier = Verifier(issuer);
        var document = issuer.Sign(Now);
        Assert.Equal(CommandRefusal.None, verifier.CheckSigner(document));
        Assert.Equal(CommandRefusal.None, verifier.CheckTerms(document));
        var old = issuer.Sign(Now.AddHours(-1));
        Assert.Equal(CommandRefusal.None, verifier.CheckSigner(old));
        Assert.Equal(CommandRefusal.Expired, verifier.CheckTerms(old));
    }

    [Fact]
    public void What_the_service_says_of_the_time_does_not_touch_an_operators_command()
    {
        var clock = Clock();
        Assert.True(clock.Prove(CommandSigner.Service, Issuer.Micros(Now.AddDays(20))));
        Assert.Equal(Issuer.Micros(Now), clock.Now(CommandSigner.Operator));
        Assert.Equal(Issuer.Micros(Now.AddDays(20)), clock.Now(CommandSigner.Service));
        Assert.False(clock.Prove(CommandSigner.Service, Issuer.Micros(Now)));
    }

    private CommandClock Clock() => new(_time, BadBefore);

    private CommandVerifier Verifier(Issuer issuer) => new(() => issuer.Roots, () => null, "agent-1", Clock());
}
