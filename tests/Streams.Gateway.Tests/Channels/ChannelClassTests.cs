using Streams.Schema;

namespace Streams.Gateway.Tests.Channels;

/// <summary>The table of channels and the catalogue of classes name each other: the gateway is the one project that sees both.</summary>
public sealed class ChannelClassTests
{
    [Fact]
    public void The_classes_of_a_channel_are_those_that_name_it()
    {
        foreach (var channel in Wire.Channels.All)
        {
            var named = Catalogue.Classes.Where(c => c.Producer != EventProducer.Server && Wire.Channels.Find(c.Channel) == channel).Select(c => c.Id);
            Assert.Equal(named.Order(), channel.EventClasses.Order());
            Assert.True(channel.EventClasses.Count == 0 || channel.Credit, channel.Name);
        }
    }

    [Fact]
    public void Every_class_of_agents_has_a_channel() => Assert.All(
        Catalogue.Classes.Where(c => c.Producer != EventProducer.Server), c => Assert.NotNull(Wire.Channels.Find(c.Channel)));
}
