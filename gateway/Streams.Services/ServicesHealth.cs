namespace Streams.Services;

/// <summary>What the services role answers to <c>/healthz</c>.</summary>
/// <param name="Healthy">True when it can do its work now.</param>
/// <param name="Detail">One line.</param>
public sealed record ServicesHealth(bool Healthy, string Detail);
