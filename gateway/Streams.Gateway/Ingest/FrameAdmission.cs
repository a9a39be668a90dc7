using Streams.Gateway.Sessions;
using Streams.Queue;
using Streams.Schema;
using Streams.Wire;

namespace Streams.Gateway.Ingest;

/// <summary>
/// Looks at the headers of the batches in an opened frame, never at rows: whole, consecutive batches of one lane and of the frame's class, then fewer
/// than 256 zero bytes. What is found goes into the message's headers.
/// </summary>
internal static class FrameAdmission
{
    /// <summary>Stored means: goes on.</summary>
    public static FrameFate Admit(IngestFrame frame) => frame.Envelope is null ? AdmitFrame(frame) : AdmitJson(frame);

    private static FrameFate AdmitFrame(IngestFrame frame)
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

        return Admit(frame, head.Name, count, head.Priority, length, MessageEncoding.Binary);
    }

    /// <summary>One batch a message; what is wrong with it the agent is told by the field's name.</summary>
    private static FrameFate AdmitJson(IngestFrame frame)
    {
        var envelope = frame.Envelope!;
        var id = envelope.IdText(frame.Frame);
        var content = frame.Plaintext;
        var error = JsonAdmission.TryRead(content.Span, id, envelope.Channel, out var name, out var priority, out var field);
        if (error != WireError.None)
        {
            frame.Owner.Refused(error, envelope.Channel.Number, id, field);
            return FrameFate.Malformed;
        }

        return Admit(frame, name, 1, priority, content.Length, MessageEncoding.Json);
    }

    private static FrameFate Admit(IngestFrame frame, BatchName first, uint count, PriorityClass priority, int length, MessageEncoding encoding)
    {
        var fate = frame.Owner.Lanes.Admit(
            first.Epoch, first.Lane, first.N, first.N + count - 1, Environment.TickCount64, out var resend);
        if (fate != FrameFate.Stored)
        {
            return fate;
        }

        var route = frame.Owner.Route;
        frame.MessageLength = length;
        frame.Headers = new MessageHeaders
        {
            Epoch = first.Epoch,
            Lane = first.Lane,
            First = first.N,
            Count = count,
            Class = priority,
            Encoding = encoding,
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
