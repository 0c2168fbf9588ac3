// A Windows service of a few lines, as packages for tests carry one: it says in the registry which version of it runs. Built
// without the Windows SDK: what it needs of Windows is declared here.
//
// VERSION is the version of the package. With SILENT it runs and says nothing: a program that does not prove itself.

typedef void *HANDLE;
typedef unsigned long DWORD;
typedef int BOOL;
typedef struct { DWORD type, state, accepted, error, specific, checkPoint, waitHint; } Status;
typedef struct { const char *name; void (*main)(DWORD, char **); } Service;

#define IMPORT __declspec(dllimport)
IMPORT BOOL StartServiceCtrlDispatcherA(const Service *);
IMPORT HANDLE RegisterServiceCtrlHandlerA(const char *, void (*)(DWORD));
IMPORT BOOL SetServiceStatus(HANDLE, Status *);
IMPORT long RegCreateKeyExA(HANDLE, const char *, DWORD, char *, DWORD, DWORD, void *, HANDLE *, DWORD *);
IMPORT long RegSetValueExA(HANDLE, const char *, DWORD, DWORD, const void *, DWORD);
IMPORT HANDLE CreateEventA(void *, BOOL, BOOL, const char *);
IMPORT BOOL SetEvent(HANDLE);
IMPORT DWORD WaitForSingleObject(HANDLE, DWORD);
IMPORT void ExitProcess(unsigned);

#define OWN_PROCESS 0x10
#define STOPPED 1
#define RUNNING 4
#define ACCEPT_STOP 1
#define CONTROL_STOP 1
#define MACHINE ((HANDLE)(unsigned long long)0xFFFFFFFF80000002ull)
#define ALL_ACCESS 0xF003F

static HANDLE end, service;

static void tell(DWORD state) {
    Status status = {OWN_PROCESS, state, state == RUNNING ? ACCEPT_STOP : 0, 0, 0, 0, 0};
    SetServiceStatus(service, &status);
}

static void control(DWORD what) {
    if (what == CONTROL_STOP) SetEvent(end);
}

static void answer(void) {
#ifndef SILENT
    HANDLE key;
    if (RegCreateKeyExA(MACHINE, "Software\\IOCOM\\" NAME, 0, 0, 0, ALL_ACCESS, 0, &key, 0) != 0) return;
    RegSetValueExA(key, "Running", 0, 1, VERSION, sizeof VERSION);
#endif
}

static void run(DWORD count, char **words) {
    end = CreateEventA(0, 1, 0, 0);
    service = RegisterServiceCtrlHandlerA(NAME, control);
    tell(RUNNING);
    answer();
    WaitForSingleObject(end, 0xFFFFFFFF);
    tell(STOPPED);
}

void start(void) {
    Service services[] = {{NAME, run}, {0, 0}};
    // Started by anybody but the services of Windows, as by a package that fails, it fails.
    ExitProcess(StartServiceCtrlDispatcherA(services) ? 0 : 1);
}
