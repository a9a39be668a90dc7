using Streams.Wire.Frames;
using Streams.Wire.Messages;

namespace Streams.Wire.Json;

/// <summary>
/// What an agent says beside data and messages, from the JSON document of PROTOCOL.md to the payload of the frame that says it in <c>streams.v1.bin</c>: whoever
/// handles it need not know its session's encoding. What is wrong is named by its field.
/// </summary>
public static class AgentContent
{
    private static readonly string[] ReadyFields = ["generation", "catalogue_version", "agent_version", "host"];
    private static readonly string[] WantFields = ["next", "queued"];

    private static readonly string[] HeartbeatFields =
        ["sent_at", "policy_generation", "load", "cpu", "memory", "retained", "lanes", "modules", "ledger"];

    private static readonly string[] ModuleFields = ["name", "state", "rss_kib", "cpu_permille", "restarts"];
    private static readonly string[] States = ["stopped", "starting", "running", "degraded", "failed"];
    private static readonly string[] LedgerFields = ["class", "stamped", "filtered", "missed"];
    private static readonly string[] ErrorFields = ["code", "channel", "id", "detail", "retry_after"];

    /// <summary>Room that any payload needs.</summary>
    public const int MaxPayloadBytes = HeartbeatMessage.MaxBytes;

    public static WireError TryRead(FrameType type, ReadOnlySpan<byte> content, Span<byte> payload, out int length, out string field)
    {
        var reader = new ContentReader(content);
        length = 0;
        if (reader.BeginObject())
        {
            length = type switch
            {
                FrameType.Ready => Ready(ref reader, payload),
                FrameType.Want => Want(ref reader, payload),
                FrameType.Heartbeat => Heartbeat(ref reader, payload),
                FrameType.Error => Error(ref reader, payload),
                _ => reader.Fail(WireError.WrongType, "") ? 0 : 0,
            };
        }

        field = reader.Field;
        return reader.Error;
    }

    private static int Ready(ref ContentReader reader, Span<byte> payload)
    {
        ulong generation = 0;
        ushort catalogue = 0;
        string version = "", host = "";
        uint seen = 0;
        while (reader.NextField(ReadyFields, ref seen, out var field))
        {
            switch (field)
            {
                case 0: generation = reader.Number(ulong.MaxValue); break;
                case 1: catalogue = (ushort)reader.Number(ushort.MaxValue); break;
                case 2: version = reader.Text(Limits.MaxVersionTextBytes); break;
                default: host = reader.Text(Limits.MaxHostNameBytes); break;
            }
        }

        reader.Require(ReadyFields, seen, 0b1111);
        reader.End();
        return reader.Error == WireError.None ? new ReadyMessage(generation, catalogue, version, host).Write(payload) : 0;
    }

    /// <summary>A class that is not named has nothing to send.</summary>
    private static int Want(ref ContentReader reader, Span<byte> payload)
    {
        Span<ClassWant> wants = stackalloc ClassWant[Limits.LaneClasses];
        uint seen = 0;
        while (reader.NextField(LaneClassNames.All, ref seen, out var laneClass))
        {
            uint next = 0, queued = 0, inside = 0;
            if (!reader.BeginObject())
            {
                break;
            }

            while (reader.NextField(WantFields, ref inside, out var field, "want."))
            {
                if (field == 0)
                {
                    next = (uint)reader.Number(Limits.MaxFrameBytes);
                }
                else
                {
                    queued = (uint)reader.Number(uint.MaxValue);
                }
            }

            reader.Require(WantFields, inside, 0b11, "want.");
            wants[laneClass] = new ClassWant(next, queued);
        }

        reader.End();
        return reader.Error == WireError.None ? WantMessage.Write(wants, payload) : 0;
    }

    private static int Heartbeat(ref ContentReader reader, Span<byte> payload)
    {
        var message = new HeartbeatMessage();
        uint seen = 0;
        while (reader.NextField(HeartbeatFields, ref seen, out var field))
        {
            message = field switch
            {
                0 => message with { SentAt = reader.Number(ulong.MaxValue) },
                1 => message with { PolicyGeneration = reader.Number(ulong.MaxValue) },
                2 => message with { LoadHundredths = (ushort)reader.Number(ushort.MaxValue) },
                3 => message with { CpuPermille = (ushort)reader.Number(ushort.MaxValue) },
                4 => message with { MemoryPermille = (ushort)reader.Number(ushort.MaxValue) },
                5 => message with { RetainedBytes = (uint)reader.Number(uint.MaxValue) },
                6 => message with { Lanes = (ushort)reader.Number(ushort.MaxValue) },
                7 => message with { Modules = Modules(ref reader) },
                _ => message with { Ledger = Ledger(ref reader) },
            };
        }

        reader.Require(HeartbeatFields, seen, 1);
        reader.End();
        return reader.Error == WireError.None ? message.Write(payload) : 0;
    }

    private static List<ModuleReport> Modules(ref ContentReader reader)
    {
        var modules = new List<ModuleReport>();
        if (!reader.BeginArray())
        {
            return modules;
        }

        while (reader.NextObject())
        {
            if (modules.Count == Limits.MaxModules)
            {
                reader.Fail(WireError.TooLarge, "modules");
                break;
            }

            var module = new ModuleReport("", ModuleState.Stopped, 0, 0, 0);
            uint seen = 0;
            while (reader.NextField(ModuleFields, ref seen, out var field, "modules."))
            {
                module = field switch
                {
                    0 => module with { Name = reader.Text(Limits.MaxModuleNameBytes) },
                    1 => module with { State = (ModuleState)reader.Word(States) },
                    2 => module with { RssKib = (uint)reader.Number(uint.MaxValue) },
                    3 => module with { CpuPermille = (uint)reader.Number(uint.MaxValue) },
                    _ => module with { Restarts = (ushort)reader.Number(ushort.MaxValue) },
                };
            }

            reader.Require(ModuleFields, seen, 0b11, "modules.");
            modules.Add(module);
        }

        return modules;
    }

    private static List<LedgerReport> Ledger(ref ContentReader reader)
    {
        var ledger = new List<LedgerReport>();
        if (!reader.BeginArray())
        {
            return ledger;
        }

        while (reader.NextObject())
        {
            if (ledger.Count == Limits.MaxLedgerEntries)
            {
                reader.Fail(WireError.TooLarge, "ledger");
                break;
            }

            var entry = new LedgerReport(0, 0, 0, 0);
            uint seen = 0;
            while (reader.NextField(LedgerFields, ref seen, out var field, "ledger."))
            {
                entry = field switch
                {
                    0 => entry with { ClassId = (ushort)reader.Number(ushort.MaxValue) },
                    1 => entry with { Stamped = reader.Number(ulong.MaxValue) },
                    2 => entry with { Filtered = reader.Number(ulong.MaxValue) },
                    _ => entry with { Missed = reader.Number(ulong.MaxValue) },
                };
            }

            reader.Require(LedgerFields, seen, 0b11, "ledger.");
            ledger.Add(entry);
        }

        return ledger;
    }

    private static int Error(ref ContentReader reader, Span<byte> payload)
    {
        var code = WireError.None;
        byte channel = 0;
        string id = "", detail = "";
        uint seen = 0;
        while (reader.NextField(ErrorFields, ref seen, out var field))
        {
            switch (field)
            {
                case 0:
                    // A code of a later version says all the same that the message was not taken.
                    code = WireErrors.FromLabel(reader.Text(Limits.MaxErrorDetailBytes));
                    code = code == WireError.None ? WireError.Refused : code;
                    break;
                case 1: channel = Channels.Find(reader.Text(Limits.MaxChannelNameBytes))?.Number ?? 0; break;
                case 2:
                    id = reader.Text(Limits.MaxMessageIdBytes);
                    _ = id.Length == 0 || MessageId.IsValid(id) || reader.FailHere(WireError.BadValue);
                    break;
                case 3:
                    detail = reader.Text(Limits.MaxErrorDetailBytes);
                    _ = System.Text.Ascii.IsValid(detail) || reader.FailHere(WireError.BadValue);
                    break;
                default: reader.Number(uint.MaxValue); break;
            }
        }

        reader.Require(ErrorFields, seen, 1);
        reader.End();
        return reader.Error == WireError.None ? new ErrorMessage(code, channel, id, detail).Write(payload) : 0;
    }
}
