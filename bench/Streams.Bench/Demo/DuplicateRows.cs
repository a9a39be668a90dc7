using System.Globalization;
using Streams.Bench.Running;

namespace Streams.Bench.Demo;

/// <summary>Rows that stand twice under one name: (agent, epoch, lane, batch, row) is unique in every table, or something was stored twice.</summary>
internal static class DuplicateRows
{
    public static async Task<long> CountAsync(RowReader rows, CancellationToken stop)
    {
        var tables = await rows.QueryAsync("SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'row' ORDER BY table", stop);
        long twice = 0;
        foreach (var table in tables)
        {
            var answer = await rows.QueryAsync($"SELECT count() - uniqExact(agent_id, epoch, lane, batch, row) FROM {table[0]}", stop);
            twice += long.Parse(answer[0][0], CultureInfo.InvariantCulture);
        }
        return twice;
    }
}
