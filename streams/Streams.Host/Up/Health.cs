using Streams.Host.Terminal;
using Streams.Local;

namespace Streams.Host.Up;

/// <summary>Asks `streams serve` and ClickHouse how they are.</summary>
internal static class Health
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    // Probes have the supervisor's deadline.
    private static readonly HttpClient Probes = new() { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Null when it answers at all: a 503 says that something else is away, and a restart would not bring that back.</summary>
    public static async Task<string?> ProbeAsync(Uri healthz, CancellationToken cancel)
    {
        using var response = await Probes.GetAsync(healthz, cancel);
        return null;
    }

    /// <summary>Null when a statement is answered, or refused because too many run.</summary>
    public static async Task<string?> ProbeClickHouseAsync(Endpoints endpoints, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoints.ClickHouse) { Content = new StringContent("SELECT 1") };
        request.Headers.Add("X-ClickHouse-User", endpoints.ClickHouseUser);
        request.Headers.Add("X-ClickHouse-Key", SecretFile.ReadLine(endpoints.ClickHousePasswordFile));
        using var response = await Probes.SendAsync(request, cancel);
        return response.IsSuccessStatusCode || (int)response.StatusCode == StatusCodes.Status503ServiceUnavailable
            ? null : $"SELECT 1 was answered with status {(int)response.StatusCode}";
    }

    /// <summary>Waits until `streams serve` says that it can take events.</summary>
    public static async Task WaitAsync(Uri healthz, ChildProcess serve, TimeSpan deadline, CancellationToken stop)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var last = "no answer";
        var until = DateTime.UtcNow + deadline;
        while (DateTime.UtcNow < until)
        {
            if (serve.Exited.IsCompleted)
            {
                throw new CommandFailure((await serve.Exited).ToString());
            }
            try
            {
                using var response = await http.GetAsync(healthz, stop);
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
                last = await response.Content.ReadAsStringAsync(stop);
            }
            catch (Exception failure)
                when (failure is HttpRequestException || (failure is TaskCanceledException && !stop.IsCancellationRequested))
            {
                last = failure.Message;
            }
            await Task.Delay(Interval, stop);
        }
        throw new CommandFailure($"streams serve was not ready within {deadline.TotalSeconds:0} s: {last}");
    }
}
