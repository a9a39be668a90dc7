using Streams.Schema;
using StoredRange = Streams.Storage.BatchRange;

namespace Streams.Worker.Commit;

/// <summary>The names of batches, as the storage project wants them: runs of consecutive batches of one lane.</summary>
internal static class BatchNames
{
    /// <summary>
    /// The batches in the order of the tables' key. The engine sorts a block that is not, and copies each of its columns for that; batches of several agents come
    /// mixed, and inside a batch rows are in order.
    /// </summary>
    public static PendingBatch[] InTableOrder(IReadOnlyList<PendingBatch> batches)
    {
        var ordered = batches.ToArray();
        Array.Sort(ordered, static (x, y) => Compare(x.Batch.Head.AgentId, x.Batch.Name, y.Batch.Head.AgentId, y.Batch.Name));
        return ordered;
    }

    /// <summary>Sorted, so that the same set of batches is the same list of runs in whatever order it was gathered.</summary>
    public static List<StoredRange> Runs(IReadOnlyList<PendingBatch> batches)
    {
        var sorted = batches.Select(batch => (batch.Batch.Head.AgentId, batch.Batch.Name)).ToArray();
        Array.Sort(sorted, static (x, y) => Compare(x.AgentId, x.Name, y.AgentId, y.Name));
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

    private static int Compare(string xAgent, in BatchName x, string yAgent, in BatchName y)
    {
        var agents = string.CompareOrdinal(xAgent, yAgent);
        return agents != 0 ? agents : (x.Epoch.Prefix, x.Epoch.Suffix, x.Lane, x.N).CompareTo((y.Epoch.Prefix, y.Epoch.Suffix, y.Lane, y.N));
    }
}
