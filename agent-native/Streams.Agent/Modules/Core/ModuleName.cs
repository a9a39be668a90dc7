namespace Streams.Agent.Modules.Core;

/// <summary>The specification's modules by the names that rows, messages and `status` use.</summary>
internal static class ModuleName
{
    public const string Core = "core";
    public const string Comm = "websocket_comm";
    public const string Telemetry = "telemetry";
    public const string Observability = "observability";
    public const string Analysis = "analysis";
    public const string ThreatIntel = "threat_intel";
    public const string Policy = "policy";
}
