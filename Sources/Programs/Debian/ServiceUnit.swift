/// The systemd unit of an application: its own user, and what it does not need taken away.
enum ServiceUnit {
    static func text(_ description: DebianDescription, _ arguments: [String]) -> String {
        let condition = description.condition.map { "\nConditionPathExists=\($0)" } ?? ""
        return """
            [Unit]
            Description=\(description.summary.replacing("%", with: "%%"))
            Wants=network-online.target
            After=network-online.target\(condition)

            [Service]
            Type=exec
            User=\(description.user)
            EnvironmentFile=-/etc/default/\(description.application)
            ExecStart=/usr/bin/\((["\(description.application)"] + arguments).joined(separator: " ")) $OPTIONS
            StateDirectory=iocom/\(description.application)
            StateDirectoryMode=0700
            UMask=0077
            Restart=on-failure
            RestartSec=2
            # Wrong options do not get better by being tried again.
            RestartPreventExitStatus=2
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
            RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
            RestrictNamespaces=yes
            RestrictRealtime=yes
            RestrictSUIDSGID=yes
            LockPersonality=yes
            MemoryDenyWriteExecute=yes
            RemoveIPC=yes
            SystemCallArchitectures=native
            SystemCallFilter=@system-service
            SystemCallFilter=~@privileged @resources
            SystemCallErrorNumber=EPERM

            [Install]
            WantedBy=multi-user.target

            """
    }

    /// Options of the owner of the machine; a conffile.
    static func defaults(_ description: DebianDescription) -> String {
        """
        # Further options of \(description.application), see '\(description.application) run --help'. Then:
        # systemctl restart \(description.application)
        OPTIONS=

        """
    }
}
