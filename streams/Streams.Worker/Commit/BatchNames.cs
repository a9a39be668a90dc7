using StoredRange = Streams.Storage.BatchRange;

namespace Streams.Worker.Commit;

/// <summary>The names of batches, as the storage project wants them: runs of consecutive batches of one lane.</summary>
internal static class BatchNames
{
    /// <summary>Sorted, so that the same set of batches is the same list of runs in whatever order it was gathered.</summary>
    public static List<StoredRange> Runs(IReadOnlyList<PendingBatch> batches)
    {
        var sorted = batches.Select(batch => (batch.Batch.Head.AgentId, batch.Batch.Name)).ToArray();
        Array.Sort(sorted, static (x, y) =>
        {
            var agents = string.CompareOrdinal(x.AgentId, y.AgentId);
            return agents != 0
                ? agents
                : (x.Name.Epoch.Prefix, x.Name.Epoch.Suffix, x.Name.Lane, x.Name.N).CompareTo(
                    (y.Name.Epoch.Prefix, y.Name.Epoch.Suffix, y.Name.Lane, y.Name.N));
        });
        var runs = new List<StoredRange>();
        foreach (var (agent, name) in sorted)
        {
            if (runs.Count != 0 && runs[^1] == new StoredRange(agent, name.Epoch, name.Lane, runs[^1].First, name.N - 1))
            {
                runs[^1] = runs[^1] with { Last = name.N };
            }
            else
            {
                runs.Add(new StoredRange(agent, name.Epoch, name.Lane, name.N, name.N));
            }
        }

        return runs;
    }
}
