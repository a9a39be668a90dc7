namespace Streams.Agent.Doctor;

/// <summary>One thing that the agent needs or can use.</summary>
/// <param name="Required">Without it `run` does not work.</param>
/// <param name="Detail">What was found.</param>
/// <param name="Remedy">What to do when it is not fine; empty when it is.</param>
internal readonly record struct DoctorCheck(string Name, bool Required, bool Fine, string Detail, string Remedy)
{
    public static DoctorCheck Need(string name, bool fine, string detail, string remedy) => new(name, true, fine, detail, fine ? "" : remedy);

    public static DoctorCheck Use(string name, bool fine, string detail, string remedy) => new(name, false, fine, detail, fine ? "" : remedy);
}
