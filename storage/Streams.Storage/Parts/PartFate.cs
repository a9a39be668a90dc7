namespace Streams.Storage;

/// <summary>What has become of a part after its table was loaded anew.</summary>
/// <param name="IsThere">The table is attached; without that nothing is known.</param>
/// <param name="IsActive">The part is used as before, or was merged again.</param>
/// <param name="Rows">Rows in its place, at most as many as it has.</param>
public readonly record struct PartFate(bool IsThere, bool IsActive, long Rows);
