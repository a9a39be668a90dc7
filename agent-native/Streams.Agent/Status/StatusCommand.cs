using System.Net.Sockets;
using System.Text;
using Streams.Agent.CommandLine;
using Streams.Agent.Configuration;

namespace Streams.Agent.Status;

/// <summary>`streams-agent status`: asks the running agent.</summary>
internal static class StatusCommand
{
    private const int ReceiveTimeoutMilliseconds = 5000;

    /// <returns>0.</returns>
    /// <exception cref="AgentException">No agent answers.</exception>
    public static int Run(AgentArguments arguments, TextWriter output)
    {
        var configuration = ConfigurationLoader.Load(arguments);
        ConfigurationValidator.Require(configuration, toConnect: false);
        var document = Ask(StatusSocket.PathIn(configuration.Resolve(configuration.StateDirectory)));
        if (arguments.Json)
            output.WriteLine(Encoding.UTF8.GetString(document));
        else
            StatusText.Write(document, output);
        return 0;
    }

    private static byte[] Ask(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.ReceiveTimeout = ReceiveTimeoutMilliseconds;
        var document = new MemoryStream();
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            var buffer = new byte[4096];
            for (int read; (read = socket.Receive(buffer)) > 0;)
                document.Write(buffer, 0, read);
        }
        catch (SocketException e)
        {
            var why = e.SocketErrorCode == SocketError.AccessDenied ? "may not be opened; run as the agent's user (root)"
                : e.SocketErrorCode == SocketError.TimedOut ? "gives no answer; see the agent's log"
                : "is not answered: no agent runs there; start `streams-agent run` or name its --config";
            throw new AgentException($"status socket {path} {why}");
        }

        return document.ToArray();
    }
}
