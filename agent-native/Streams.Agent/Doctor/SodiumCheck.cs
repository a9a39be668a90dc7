using System.Runtime.InteropServices;

namespace Streams.Agent.Doctor;

/// <summary>libsodium lies beside the program. Its version is compared because a distribution's older one lacks HKDF (1.0.19).</summary>
internal static unsafe class SodiumCheck
{
    private static readonly Version Oldest = new(1, 0, 19);

    public static DoctorCheck Run()
    {
        const string Remedy = "put the libsodium.so that was built with streams-agent beside it";
        if (!NativeLibrary.TryLoad("libsodium", typeof(SodiumCheck).Assembly, null, out var library)
            || !NativeLibrary.TryGetExport(library, "sodium_version_string", out var function))
        {
            return DoctorCheck.Need("libsodium", false, "not found", Remedy);
        }

        var text = Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)function)()) ?? "";
        return DoctorCheck.Need("libsodium", Version.TryParse(text, out var version) && version >= Oldest, text, Remedy);
    }
}
