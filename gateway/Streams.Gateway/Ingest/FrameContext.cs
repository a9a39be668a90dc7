using Streams.Gateway.Connections;
using Streams.Gateway.Credit;

namespace Streams.Gateway.Ingest;

/// <summary>What all frames of a process share.</summary>
internal sealed record FrameContext(FrameBuffers Buffers, CreditPool Pool, GatewayMetrics Metrics);
