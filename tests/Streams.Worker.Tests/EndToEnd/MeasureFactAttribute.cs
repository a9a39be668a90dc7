namespace Streams.Worker.Tests.EndToEnd;

/// <summary>A measurement: runs when <c>STREAMS_MEASURE=1</c>, because its minutes and cores are not a test's.</summary>
internal sealed class MeasureFactAttribute : FactAttribute
{
    public MeasureFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("STREAMS_MEASURE") != "1")
        {
            Skip = "a measurement: set STREAMS_MEASURE=1";
        }
    }
}
