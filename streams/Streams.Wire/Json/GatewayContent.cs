using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Wire.Json;

/// <summary>
/// What the gateway says, from the payload of the frame that says it in <c>streams.v1.bin</c> to the JSON document of PROTOCOL.md: whoever makes a message need not
/// know its session's encoding.
/// </summary>
public static class GatewayContent
{
    private static readonly string[] Goodbyes = ["", "drain", "displaced", "expired", "resume", "unavailable", "protocol", "limit"];

    /// <param name="type">Of the frame; messages have their document already.</param>
    public static void Write(FrameType type, ReadOnlySpan<byte> payload, IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartObject();
        var written = type switch
        {
            FrameType.Session => Session(writer, payload),
            FrameType.Credit => Credit(writer, payload),
            FrameType.Watermark => Lanes(writer, "lanes", "committed", payload),
            FrameType.Rewind or FrameType.Hold => Lanes(writer, "lanes", "n", payload),
            FrameType.GatewayHeartbeat => Heartbeat(writer, payload),
            FrameType.Goodbye => Goodbye(writer, payload),
            FrameType.GatewayError => Error(writer, payload),
            FrameType.Token => Token(writer, payload),
            _ => false,
        };
        if (!written)
        {
            throw new ArgumentException($"no payload of {type}", nameof(payload));
        }

        writer.WriteEndObject();
    }

    private static bool Session(Utf8JsonWriter writer, ReadOnlySpan<byte> payload)
    {
        if (!SessionMessage.TryRead(payload, out var session))
        {
            return false;
        }

        writer.WriteString("token", session!.Token.Span);
        JsonNumber.Write(writer, "generation", session.Generation);
        writer.WriteString("gateway", session.Gateway);
        writer.WriteNumber("catalogue_version", session.CatalogueVersion);
        writer.WriteString("catalogue_digest", Convert.ToHexStringLower(session.CatalogueDigest.Span));
        writer.WriteNumber("max_frame", session.MaxFrameBytes);
        writer.WriteNumber("max_open_lanes", session.MaxOpenLanes);
        writer.WriteNumber("heartbeat_seconds", session.HeartbeatSeconds);
        writer.WriteNumber("session_seconds", session.SessionSeconds);
        writer.WriteStartArray("watermarks");
        foreach (var lane in session.Watermarks)
        {
            Lane(writer, lane, "committed");
        }

        writer.WriteEndArray();
        writer.WriteBase64String("revocations", session.Revocations.Span);
        return true;
    }

    private static bool Credit(Utf8JsonWriter writer, ReadOnlySpan<byte> payload)
    {
        Span<ulong> offsets = stackalloc ulong[Limits.LaneClasses];
        if (!CreditMessage.TryRead(payload, offsets))
        {
            return false;
        }

        for (var i = 0; i < offsets.Length; i++)
        {
            JsonNumber.Write(writer, LaneClassNames.All[i], offsets[i]);
        }

        return true;
    }

    private static bool Heartbeat(Utf8JsonWriter writer, ReadOnlySpan<byte> payload)
    {
        var lanes = ArrayPool<LaneWatermark>.Shared.Rent(Limits.MaxWatermarks);
        try
        {
            if (!GatewayHeartbeatMessage.TryRead(payload, lanes, out var sentAt, out var echo, out var count))
            {
                return false;
            }

            JsonNumber.Write(writer, "sent_at", sentAt);
            JsonNumber.Write(writer, "echo", echo);
            List(writer, "watermarks", "committed", lanes.AsSpan(0, count));
            return true;
        }
        finally
        {
            ArrayPool<LaneWatermark>.Shared.Return(lanes);
        }
    }

    private static bool Lanes(Utf8JsonWriter writer, string name, string number, ReadOnlySpan<byte> payload)
    {
        var lanes = ArrayPool<LaneWatermark>.Shared.Rent(Limits.MaxWatermarks);
        try
        {
            if (!WatermarkMessage.TryRead(payload, lanes, out var count))
            {
                return false;
            }

            List(writer, name, number, lanes.AsSpan(0, count));
            return true;
        }
        finally
        {
            ArrayPool<LaneWatermark>.Shared.Return(lanes);
        }
    }

    private static void List(Utf8JsonWriter writer, string name, string number, ReadOnlySpan<LaneWatermark> lanes)
    {
        writer.WriteStartArray(name);
        foreach (var lane in lanes)
        {
            Lane(writer, lane, number);
        }

        writer.WriteEndArray();
    }

    private static void Lane(Utf8JsonWriter writer, in LaneWatermark lane, string number)
    {
        writer.WriteStartObject();
        writer.WriteString("epoch", lane.Epoch.ToString("x32", CultureInfo.InvariantCulture));
        writer.WriteNumber("lane", lane.Lane);
        writer.WriteNumber(number, lane.Committed);
        writer.WriteEndObject();
    }

    private static bool Goodbye(Utf8JsonWriter writer, ReadOnlySpan<byte> payload)
    {
        if (!GoodbyeMessage.TryRead(payload, out var goodbye))
        {
            return false;
        }

        Error(writer, WireError.Goodbye, "", "", Goodbyes[(int)goodbye.Reason], goodbye.RetryAfterMilliseconds);
        return true;
    }

    private static bool Error(Utf8JsonWriter writer, ReadOnlySpan<byte> payload)
    {
        if (!ErrorMessage.TryRead(payload, out var error))
        {
            return false;
        }

        Error(writer, error!.Code, Channels.Find(error.Channel)?.Name ?? "", error.Id, error.Detail, 0);
        return true;
    }

    private static void Error(Utf8JsonWriter writer, WireError code, string channel, string id, string detail, uint retryAfter)
    {
        writer.WriteString("code", code.Label());
        writer.WriteString("channel", channel);
        writer.WriteString("id", id);
        writer.WriteString("detail", detail);
        writer.WriteNumber("retry_after", retryAfter);
    }

    private static bool Token(Utf8JsonWriter writer, ReadOnlySpan<byte> payload)
    {
        if (!TokenMessage.TryRead(payload, out var token))
        {
            return false;
        }

        writer.WriteString("token", Encoding.ASCII.GetString(token));
        return true;
    }
}
