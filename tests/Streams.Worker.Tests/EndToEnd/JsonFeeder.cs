using System.Globalization;
using System.Text.Json.Nodes;
using Streams.Checker;
using Streams.Schema;
using Streams.Testing.JsonAgents;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>
/// What a stranger's agent keeps over its sessions: one lane of batches of twenty execs, the number that comes next, and how many the server has. It obeys rewinds,
/// keeps within its credit, and goes on from the watermark of F0.
/// </summary>
internal sealed class JsonFeeder(JsonGateway gateway, string agentId, byte[] seed, uint batches)
{
    public const int Rows = 20;

    private readonly SemaphoreSlim _heard = new(0);
    private readonly Epoch _epoch = Schema.Epoch.NewRandom();
    private readonly Lock _gate = new();
    private JsonAgent _agent = null!;
    private Task _pump = Task.CompletedTask;
    private uint _next;
    private uint _committed;
    private long _sent;
    private ulong _connects;

    public JsonAgent Agent => _agent;

    public string Epoch => _epoch.ToString();

    public int Rewinds { get; private set; }

    public int Tokens { get; private set; }

    public IReadOnlyList<StampedSequence> Stamped => [new(_epoch.Prefix, "process_exec", ClaimColumns.UserSpaceCpu, batches * (ulong)Rows)];

    public async Task ConnectAsync()
    {
        _agent = await JsonAgent.ConnectAsync(gateway.Address, agentId, seed, gateway.RootKey, Epoch, ++_connects);
        _sent = 0;
        _next = 0;
        Take(_agent.Session["watermarks"]!.AsArray());
        _next = _committed;
        await _agent.ReadyAsync();
        _pump = PumpAsync(_agent);
    }

    /// <summary>The connection is gone from one moment to the next.</summary>
    public async Task KillAsync()
    {
        _agent.Kill();
        await _pump;
        await _agent.DisposeAsync();
    }

    /// <summary>Sends until so many batches are with the server.</summary>
    /// <param name="before">Done before batch n is sent.</param>
    public async Task SendAsync(uint until, Func<uint, Task>? before = null)
    {
        while (true)
        {
            uint n;
            lock (_gate)
            {
                if (_committed >= until)
                {
                    return;
                }

                n = _next;
            }

            if (n >= until)
            {
                await HearAsync();
                continue;
            }

            var content = Content(n);
            // What sealing adds is less than this and a third.
            var bytes = (content.Length * 4 / 3) + 2048;
            if (_sent + bytes > _agent.Credit("event"))
            {
                await _agent.WantAsync("event", bytes, (int)(until - n) * bytes);
                await HearAsync();
                continue;
            }

            if (before is not null)
            {
                await before(n);
            }

            await SendOneAsync(n, content);
        }
    }

    /// <summary>Passes a batch over, as an agent that lost it would.</summary>
    public void Skip()
    {
        lock (_gate)
        {
            _next++;
        }
    }

    private async Task SendOneAsync(uint n, string content)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{Epoch}-1-{n}");
        var text = _agent.Seal("agent.observability", "event", "observability", content, id).ToJsonString();
        _sent += text.Length;
        lock (_gate)
        {
            // A rewind that came meanwhile counts.
            _next = _next == n ? n + 1 : _next;
        }

        await _agent.SendTextAsync(text);
    }

    private async Task PumpAsync(JsonAgent agent)
    {
        try
        {
            while (await agent.ReceiveAsync() is { } message)
            {
                Hear(message);
                _heard.Release();
            }
        }
        catch (Exception error) when (error is System.Net.WebSockets.WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Killed.
        }

        _heard.Release();
    }

    private void Hear(JsonAgentMessage message)
    {
        switch (message.Channel)
        {
            case "heartbeat": Take(message.Content["watermarks"]!.AsArray()); break;
            case "session.flow.watermark": Take(message.Content["lanes"]!.AsArray()); break;
            case "session.flow.token": Tokens++; break;
            case "session.flow.rewind":
                lock (_gate)
                {
                    _next = Math.Min(_next, message.Content["lanes"]![0]!["n"]!.GetValue<uint>());
                    Rewinds++;
                }

                break;
        }
    }

    private void Take(JsonArray lanes)
    {
        foreach (var lane in lanes)
        {
            if (lane!["epoch"]!.GetValue<string>() == Epoch)
            {
                lock (_gate)
                {
                    _committed = Math.Max(_committed, lane["committed"]!.GetValue<uint>());
                }
            }
        }
    }

    private async Task HearAsync() =>
        Assert.True(await _heard.WaitAsync(TimeSpan.FromSeconds(30)) && !_pump.IsCompleted, $"the gateway says no more: closed with {_agent.CloseCode}");

    private string Content(uint n)
    {
        var events = new JsonArray();
        for (var i = 0; i < Rows; i++)
        {
            var seq = (n * (ulong)Rows) + (ulong)i + 1;
            events.Add(new JsonObject
            {
                ["time"] = Fakes.Batches.Noon + (long)seq,
                ["seq"] = seq,
                ["pid"] = 1000 + seq,
                ["comm"] = "true",
                // Above 2^53: as a string.
                ["inode"] = ulong.MaxValue.ToString(CultureInfo.InvariantCulture),
                ["filename"] = "/bin/tr\u00fce",
                ["argv"] = "true\0--n=" + n,
                ["argc"] = 2,
            });
        }

        return new JsonObject
        {
            ["epoch"] = Epoch,
            ["lane"] = 1,
            ["n"] = n,
            ["class"] = "process_exec",
            ["schema"] = 1,
            ["events"] = events,
        }.ToJsonString();
    }
}
