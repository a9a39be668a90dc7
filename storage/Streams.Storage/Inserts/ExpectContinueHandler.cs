namespace Streams.Storage;

/// <summary>
/// Sends the rows of an insert only when the server has said that it has the request (100 Continue). From then on its own limits run, and
/// KILL QUERY of a successor ends it: a worker that is stopped after its last look at its leases cannot begin an insert when it goes on.
/// </summary>
internal sealed class ExpectContinueHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.RequestUri?.Query.Contains("insert_deduplication_token", StringComparison.Ordinal) == true)
        {
            request.Headers.ExpectContinue = true;
        }

        return base.SendAsync(request, cancellationToken);
    }
}
