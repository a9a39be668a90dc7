using Streams.Gateway.Auth;
using Streams.Queue;

namespace Streams.Gateway.Tests.Auth;

public sealed class CloneSignTests
{
    private static readonly SessionRecord Last = new(
        1, "gateway-1", "epoch-2", DateTimeOffset.UnixEpoch, "host", "::1", ConnectCounter: 7, EpochBefore: "epoch-1", Boot: "boot-2", BootBefore: "boot-1");

    [Theory]
    [InlineData("epoch-2", "boot-2", 8, null)]
    [InlineData("epoch-3", "boot-2", 8, null)]
    [InlineData("epoch-3", "boot-3", 8, null)]
    [InlineData("epoch-3", "boot-3", 7, "counter_back")]
    [InlineData("epoch-1", "boot-2", 8, "epochs_alternate")]
    [InlineData("epoch-2", "boot-3", 8, "epoch_of_two_boots")]
    [InlineData("epoch-3", "boot-1", 8, "boots_alternate")]
    [InlineData("epoch-3", "", 8, null)]
    [InlineData("epoch-2", "", 8, null)]
    public void Signs_of_a_copy(string epoch, string boot, ulong counter, string? expected)
    {
        Assert.Equal(expected, CloneSign.Of(Last, epoch, boot, counter));
        Assert.Null(CloneSign.Of(null, epoch, boot, counter));
    }

    [Fact]
    public void A_session_of_which_no_boot_is_known_is_no_sign() =>
        Assert.Null(CloneSign.Of(Last with { Boot = "", BootBefore = "" }, "epoch-2", "boot-3", 8));
}
