using Microsoft.Extensions.Logging;
using Streams.Queue;
using Streams.Wire.Handshake;

namespace Streams.Services.Registry;

/// <summary>
/// What fleet roots say, as files beside the operator's keys: the list of revoked certificates, and the newest root's word about the next.
/// A queue that lost them, or came back from an older copy, gets them from here. Only their form is judged; agents judge whose word it is.
/// </summary>
internal sealed class StatementFiles(string? revocations, string? succession, RevocationStore store, ILogger logger)
{
    /// <exception cref="QueueException">The queue did not take them.</exception>
    public async Task PutBackAsync(CancellationToken cancel)
    {
        if (await ReadAsync(revocations, cancel).ConfigureAwait(false) is { } serials)
        {
            if (!RevocationList.TryParseText(serials, out var list))
            {
                logger.StatementUnreadable(revocations!, "not a signed list of serials");
            }
            else if (await store.TryPutAsync(RevocationStore.List, new RevocationRecord(list.ToText(), list.Version), cancel).ConfigureAwait(false))
            {
                logger.RevocationsPutBack(list.Serials.Count, list.Version);
            }
        }

        if (await ReadAsync(succession, cancel).ConfigureAwait(false) is { } next)
        {
            if (!RootSuccession.TryParseText(next, out var word))
            {
                logger.StatementUnreadable(succession!, "not a signed statement about a root");
            }
            else if (await store.TryPutAsync(RevocationStore.Succession, new RevocationRecord(word.ToText(), word.Version), cancel).ConfigureAwait(false))
            {
                logger.SuccessionPutBack(word.Version);
            }
        }
    }

    private async Task<string?> ReadAsync(string? path, CancellationToken cancel)
    {
        if (path is null || !File.Exists(path))
        {
            return null;
        }

        try
        {
            return await File.ReadAllTextAsync(path, cancel).ConfigureAwait(false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            logger.StatementUnreadable(path, error.Message);
            return null;
        }
    }
}
