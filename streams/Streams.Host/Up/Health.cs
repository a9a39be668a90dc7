using Streams.Host.Terminal;
using Streams.Local;

namespace Streams.Host.Up;

/// <summary>Waits until `streams serve` says that it can take events.</summary>
internal static class Health
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

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
            catch (Exception failure) when (failure is HttpRequestException || (failure is TaskCanceledException && !stop.IsCancellationRequested))
            {
                last = failure.Message;
            }
            await Task.Delay(Interval, stop);
        }
        throw new CommandFailure($"streams serve was not ready within {deadline.TotalSeconds:0} s: {last}");
    }
}
