namespace Streams.Gateway.Credit;

/// <summary>Who is told that an account was granted more.</summary>
internal interface ICreditHolder
{
    /// <summary>Called under the pool's lock: it may only note the fact and queue work, never wait or call back into the pool.</summary>
    void CreditGranted();
}
