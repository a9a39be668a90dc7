using System.Runtime.CompilerServices;
using Streams.Wire;

namespace Streams.Gateway.Credit;

/// <summary>One number per lane class, in place: an account is one object whatever it counts.</summary>
[InlineArray(Limits.LaneClasses)]
internal struct ClassAmounts
{
    private long _first;
}
