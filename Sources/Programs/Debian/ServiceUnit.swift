/// The systemd unit of an application: its own user, and what it does not need taken away.
enum ServiceUnit {
    static func text(_ description: DebianDescription, _ arguments: [String]) -> String {
        """
        [Unit]
        Description=\(description.summary)
        Wants=network-online.target
        After=network-online.target

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
