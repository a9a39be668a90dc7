using Streams.Control.Commands;

namespace Streams.Agent.Modules.Core.Commands;

/// <summary>What the agent does for one kind of command.</summary>
internal interface ICommandHandler
{
    string Kind { get; }

    /// <summary>Does it, once. The result is a JSON document. What it throws is the failure's reason.</summary>
    byte[] Run(CommandDocument command);
}
