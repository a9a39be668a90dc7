using Streams.Gateway.Connections;
using Streams.Gateway.Ingest;
using Streams.Wire.Frames;

namespace Streams.Gateway.Encryption;

/// <summary>How the messages of one encoding are opened. Called in the order in which they came, never by two threads at once.</summary>
internal interface IMessageOpener : IDisposable
{
    /// <summary>Opens a data message in place and tells the frame where its plaintext is.</summary>
    FrameError OpenData(IngestFrame frame);

    /// <summary>Opens any other in place.</summary>
    FrameError Open(in ReceivedMessage message, out OpenedMessage opened);
}
