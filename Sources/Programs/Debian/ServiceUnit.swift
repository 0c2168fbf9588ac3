import PackedJSON

/// What starts an application: its units of systemd, and what a starter knows of it where there is no systemd.
enum ServiceUnit {
    static func text(_ description: DebianDescription, _ arguments: [String]) -> String {
        let condition = description.condition.map { "\nConditionPathExists=\($0)" } ?? ""
        let command = (["/usr/bin/\(description.application)"] + arguments).joined(separator: " ")
        // Nothing of an application is started before its installer has finished or undone what was interrupted. Neither
        // waits for a network: they try again until there is one.
        let order = description.isPrivileged ? "" : "\nAfter=network.target iostart.service"
        return """
            [Unit]
            Description=\(description.summary.replacing("%", with: "%%"))\(order)\(condition)
            StartLimitIntervalSec=0

            [Service]
            EnvironmentFile=-/etc/default/\(description.application)
            ExecStart=\(command) $OPTIONS
            # Wrong options do not get better by being tried again.
            RestartPreventExitStatus=2
            RestartSec=2
            \(description.isPrivileged ? privileged : sandbox(description))
            [Install]
            WantedBy=multi-user.target

            """
    }

    /// Its own user, and what it does not need taken away.
    private static func sandbox(_ description: DebianDescription) -> String {
        """
        Type=exec
        Restart=on-failure
        User=\(description.user)
        Environment=IOCOM_PACKAGE=\(description.package)
        StateDirectory=iocom/\(description.application)
        StateDirectoryMode=0700
        UMask=0077
        # Nothing but the network and its own data.
        NoNewPrivileges=yes
        CapabilityBoundingSet=
        AmbientCapabilities=
        ProtectSystem=strict
        ProtectHome=yes
        PrivateTmp=yes
        PrivateDevices=yes
        ProtectKernelTunables=yes
        ProtectKernelModules=yes
        ProtectKernelLogs=yes
        ProtectControlGroups=yes
        ProtectClock=yes
        ProtectHostname=yes
        ProtectProc=invisible
        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
        RestrictNamespaces=yes
        RestrictRealtime=yes
        RestrictSUIDSGID=yes
        LockPersonality=yes
        MemoryDenyWriteExecute=yes
        RemoveIPC=yes
        SystemCallArchitectures=native
        SystemCallFilter=@system-service
        SystemCallFilter=~@privileged
        SystemCallErrorNumber=EPERM

        """
    }

    /// It installs packages, whose scripts may do everything: only what no package has to do is taken away.
    private static let privileged = """
        Type=notify
        Restart=always
        # Finishing what was interrupted may take as long as an installation.
        TimeoutStartSec=30min
        TimeoutStopSec=5min
        # The package manager is not ended with the installer in the middle of its work.
        KillMode=mixed
        UMask=0022
        LockPersonality=yes
        RestrictRealtime=yes
        SystemCallArchitectures=native

        """

    /// The unit that listens for it.
    static func socket(_ description: DebianDescription, _ path: String) -> String {
        """
        [Unit]
        Description=\(description.summary.replacing("%", with: "%%")) (socket)

        [Socket]
        ListenStream=\(path)
        # Who may do what is decided by the user at the other end.
        SocketMode=0666
        DirectoryMode=0755

        [Install]
        WantedBy=sockets.target

        """
    }

    /// Options of the owner of the machine; a conffile.
    static func defaults(_ description: DebianDescription) -> String {
        """
        # Further options of \(description.application), see '\(description.application) run --help'. Then:
        # \(description.isPrivileged ? "service" : "iostart restart") \(description.application)\(description.isPrivileged ? " restart" : "")
        OPTIONS=

        """
    }

    /// What the starter and installer of a machine has to know (docs/linux.md).
    static func application(_ description: DebianDescription, _ arguments: [String]) -> String {
        var members: [JSON.Member] = [
            .init("package", .string(description.package)), .init("user", .string(description.user)),
            .init("unit", .string("\(description.application).service")),
            .init("program", .string("/usr/bin/\(description.application)")),
            .init("arguments", .array(arguments.map { .string($0) })),
            .init("options", .string("/etc/default/\(description.application)")),
            .init("data", .string("/var/lib/iocom/\(description.application)")),
        ]
        if let condition = description.condition { members.append(.init("condition", .string(condition))) }
        return JSON.object(members).compactText + "\n"
    }
}
