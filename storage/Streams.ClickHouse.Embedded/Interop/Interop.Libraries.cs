namespace Streams.ClickHouse.Embedded;

internal static partial class Interop
{
    /// <summary>Library names of every import, once.</summary>
    internal static class Libraries
    {
        /// <summary>Resolved by <see cref="Engine.EngineLibrary"/> to the file that --library or the environment names.</summary>
        internal const string Chdb = "libchdb";
        internal const string C = "libc";
    }
}
