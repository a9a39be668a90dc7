using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Schema;

namespace Streams.Gateway.Ingest;

/// <summary>
/// Looks at the headers of the batches in an opened frame, never at rows: whole, consecutive batches of one lane and of the frame's class, then fewer
/// than 256 zero bytes. What is found goes into the message's headers.
/// </summary>
internal static class FrameAdmission
{
    /// <summary>Stored means: goes on.</summary>
    public static FrameFate Admit(IngestFrame frame)
    {
        var plaintext = frame.Plaintext;
        if (plaintext.IsEmpty || plaintext.Length % Wire.Limits.PaddingBytes != 0)
        {
            return FrameFate.Malformed;
        }

        var length = BatchSequence.LengthWithoutPadding(plaintext.Span, Wire.Limits.PaddingBytes);
        if (length <= 0)
        {
            return FrameFate.Malformed;
        }

        var batches = new BatchSequence(plaintext[..length]);
        if (!batches.MoveNext())
        {
            return FrameFate.Malformed;
        }

        var head = batches.Header;
        var count = 1U;
        if ((byte)head.Priority != (byte)frame.LaneClass || IsOfServers(head))
        {
            return FrameFate.Malformed;
        }

        while (batches.MoveNext())
        {
            var next = batches.Header;
            if (next.Name.Lane != head.Name.Lane || next.Name.Epoch != head.Name.Epoch || next.Priority != head.Priority
                || next.Name.N != head.Name.N + count || head.Name.N > uint.MaxValue - count || IsOfServers(next))
            {
                return FrameFate.Malformed;
            }

            count++;
        }

        if (batches.Error.Kind != BatchErrorKind.None || count > MessageHeaders.MaxBatches)
        {
            return FrameFate.Malformed;
        }

        var fate = frame.Owner.Lanes.Admit(
            head.Name.Epoch, head.Name.Lane, head.Name.N, head.Name.N + count - 1, Environment.TickCount64, out var resend);
        if (fate != FrameFate.Stored)
        {
            return fate;
        }

        var route = frame.Owner.Route;
        frame.MessageLength = length;
        frame.Headers = new MessageHeaders
        {
            Epoch = head.Name.Epoch,
            Lane = head.Name.Lane,
            First = head.Name.N,
            Count = count,
            Class = head.Priority,
            ReceivedAt = frame.ReceivedAt,
            Generation = route.Generation,
            Catalogue = route.Catalogue,
            Host = route.Host,
            Resend = resend,
        };
        return FrameFate.Stored;
    }

    /// <summary>Whose rows an agent may not write: it would tell of sessions and operators. A tombstone has none.</summary>
    private static bool IsOfServers(in BatchHeader header) =>
        header.Rows != 0 && Catalogue.TryGet(header.ClassId, out var eventClass) && eventClass.Producer == EventProducer.Server;

    /// <summary>What a refusal of a frame means for its session; None: it goes on.</summary>
    public static SessionEnd Consequence(FrameFate fate) => fate switch
    {
        FrameFate.Stored or FrameFate.Duplicate or FrameFate.Displaced => SessionEnd.None,
        FrameFate.Gap or FrameFate.Rewound or FrameFate.Held => SessionEnd.None,
        FrameFate.GraphFailed => SessionEnd.GraphFailed,
        FrameFate.Stopped => SessionEnd.Draining,
        _ => SessionEnd.Protocol,
    };
}
