namespace Streams.Agent.Logging;

/// <summary>Ids of log lines, range 1000-1999. Never reused; retired ids stay here as comments.</summary>
internal enum AgentEvent
{
    Started = 1000,
    Stopping = 1001,
    Stopped = 1002,
    StopDeadline = 1003,
    MemoryTrimmed = 1004,
    GivenUp = 1005,
    NotCommitted = 1006,

    ModuleStarted = 1010,
    ModuleFailed = 1011,
    ModuleRestarting = 1012,
    ModuleStopFailed = 1013,

    KeyChange = 1015,
    RootsSaid = 1016,

    LinkState = 1020,
    LinkWarning = 1021,

    TelemetrySource = 1030,

    SensorLoaded = 1040,
    SensorRemoved = 1041,
    SensorProblem = 1042,
    CgroupExcluded = 1043,
    CgroupUnknown = 1044,
    ReadingPaused = 1045,
    ReadingResumed = 1046,
    BarrierFailed = 1047,
    RecordRefused = 1048,
    SensorTakenOver = 1049,
    SensorSettled = 1050,
    Shedding = 1051,

    StatusRequest = 1060,
    StatusFailed = 1061,

    CommandJournal = 1070,
    CommandRefused = 1071,
    CommandEnded = 1072,
    CommandUnknown = 1073,
    CommandDropped = 1074,
}
