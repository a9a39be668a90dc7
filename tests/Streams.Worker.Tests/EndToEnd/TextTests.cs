using Streams.Testing;

namespace Streams.Worker.Tests.EndToEnd;

/// <summary>What JSON agents send becomes rows of the same tables under the same rules.</summary>
[Collection(WorkerCollection.Name)]
public sealed class TextTests(WorkerStack stack) : IAsyncLifetime
{
    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => stack.StopWorkersAsync();

    [Fact]
    public async Task Text_and_binary_batches_of_one_lane_are_rows_once_over_a_restart()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        await agent.SendTextAsync(1);
        await agent.SendAsync(1, messages: 1);
        await agent.SendTextAsync(1);
        await agent.FlushAsync();
        await stack.SettledAsync(agent);
        await worker.StopAsync();
        worker = await stack.StartAsync();
        await agent.SendTextAsync(1);
        var verdict = await stack.SettledAsync(agent);
        Assert.True(verdict.Clean, verdict.ToString());
        Assert.Equal(5 * Producer.Rows, verdict.Rows);
        Assert.Equal("/bin/tool\ttool -v", await stack.ClickHouse.QueryAsync(
            $"SELECT DISTINCT filename, replaceAll(argv, '\\0', ' ') FROM process_exec WHERE agent_id = '{agent.AgentId}' AND batch = 0 FORMAT TSV"));
        await worker.StopAsync();
    }

    [Fact]
    public async Task Text_that_is_no_batch_is_a_dead_letter_that_names_the_field_and_the_lane_goes_on()
    {
        await using var agent = await Producer.OpenAsync(stack);
        var worker = await stack.StartAsync();
        await agent.SendTextAsync(1);
        await agent.SendTextAsync(1, static text => text.Replace("\"pid\":7,", "\"pid\":-7,", StringComparison.Ordinal));
        await agent.SendTextAsync(1);
        await agent.FlushAsync();
        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync($"SELECT count() FROM process_exec WHERE agent_id = '{agent.AgentId}' FORMAT TSV"),
            rows => rows == $"{2 * Producer.Rows}",
            "the batches around it are rows");
        await Eventually.ValueAsync(
            () => stack.ClickHouse.QueryAsync($"SELECT batch, cause, message FROM dead_letter WHERE agent_id = '{agent.AgentId}' FORMAT TSV"),
            letters => letters == "1\tundecodable\tevents[5].pid: an integer from 0 to 4294967295",
            "the bad one is a dead letter");
        await worker.StopAsync();
    }
}
