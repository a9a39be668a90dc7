namespace Streams.Wire.Tests;

/// <summary>What may be sent on which channel; each refusal by its name.</summary>
public sealed class ChannelTests
{
    [Theory]
    [InlineData("auth", Channels.Auth)]
    [InlineData("agent.control", Channels.Control)]
    [InlineData("agent.control.status", Channels.Control)]
    [InlineData("agent.registry.enroll", Channels.Registry)]
    [InlineData("agent.telemetry.metrics.fast_one", Channels.Telemetry)]
    [InlineData("session.flow.rekey", Channels.FlowRekey)]
    public void AnActionRefinesAName(string name, byte number) => Assert.Equal(number, Channels.Find(name)?.Number);

    [Theory]
    [InlineData("")]
    [InlineData("agent")]
    [InlineData("agent.controls")]
    [InlineData("agent.control.")]
    [InlineData("agent.control..x")]
    [InlineData(".agent.control")]
    [InlineData("Agent.control")]
    [InlineData("agent.control.>")]
    [InlineData("session.flow")]
    [InlineData("agent.control.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void AnotherNameIsUnknown(string name)
    {
        Assert.Null(Channels.Find(name));
        Assert.Equal(WireError.UnknownChannel, Channels.Check(Channels.Find(name), ChannelDirection.AgentToGateway, "core", MessageType.Event));
    }

    [Fact]
    public void NumbersAreThoseOfTheNames()
    {
        Assert.All(Channels.All, channel => Assert.Same(channel, Channels.Find(channel.Number)));
        Assert.All(Channels.All, channel => Assert.Same(channel, Channels.Find(channel.Name)));
        Assert.Equal(Channels.All.Count, Enumerable.Range(0, 256).Count(number => Channels.Find((byte)number) is not null));
    }

    /// <summary>Every combination of the table is judged, and only those that it has are taken.</summary>
    [Fact]
    public void OnlyWhatTheTableHasIsTaken()
    {
        var taken = 0;
        foreach (var channel in Channels.All)
        {
            foreach (var direction in new[] { ChannelDirection.AgentToGateway, ChannelDirection.GatewayToAgent })
            {
                foreach (var type in Enum.GetValues<MessageType>())
                {
                    var allowed = channel.TypesOf(direction).ToString().Contains(type.ToString(), StringComparison.Ordinal);
                    var none = channel.TypesOf(direction) == MessageTypes.None;
                    Assert.Equal(allowed ? WireError.None : none ? WireError.WrongDirection : WireError.WrongType,
                        Channels.Check(channel, direction, channel.Module, type));
                    Assert.Equal(none ? WireError.WrongDirection : WireError.WrongModule, Channels.Check(channel, direction, "other", type));
                    taken += allowed ? 1 : 0;
                }
            }

            Assert.Equal(WireError.WrongType, Channels.Check(channel, channel.FromAgent == MessageTypes.None ? ChannelDirection.GatewayToAgent
                : ChannelDirection.AgentToGateway, channel.Module, (MessageType)4));
        }

        Assert.Equal(30, taken);
    }

    [Theory]
    [InlineData(Channels.Registry, MessageType.Request, WireError.None)]
    [InlineData(Channels.Control, MessageType.Response, WireError.None)]
    [InlineData(Channels.Policy, MessageType.Response, WireError.None)]
    [InlineData(Channels.Policy, MessageType.Event, WireError.WrongType)]
    [InlineData(Channels.Observability, MessageType.Event, WireError.WrongType)]
    [InlineData(Channels.Heartbeat, MessageType.Event, WireError.WrongType)]
    [InlineData(Channels.FlowRekey, MessageType.Event, WireError.WrongType)]
    [InlineData(Channels.FlowToken, MessageType.Event, WireError.WrongDirection)]
    public void WhatHasFramesOfItsOwnIsNoMessage(byte number, MessageType type, WireError error)
    {
        var channel = Channels.Find(number)!;
        Assert.Equal(error, Channels.CheckMessage(channel, ChannelDirection.AgentToGateway, channel.Module, type));
    }
}
