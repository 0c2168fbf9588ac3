/// The scripts that dpkg runs (Debian Policy 6), with the calls that debhelper would make for a service.
///
/// They work with and without systemd; without, an application is started by the starter of the machine, and that one by an
/// init script. During an update over the network (IOCOM_UPDATE) starting anew is the installer's business.
enum MaintainerScripts {
    private static let head = "#!/bin/sh\nset -e\n\n"

    private static func units(_ description: DebianDescription) -> [String] {
        let name = description.application
        return (description.socket == nil ? [] : [name + ".socket"]) + [name + ".service"]
    }

    static func postinst(_ description: DebianDescription) -> String {
        head + """
            case "$1" in
            configure | abort-upgrade | abort-deconfigure | abort-remove)
            \(description.isPrivileged ? "" : makeUser(description))\
                for unit in \(units(description).joined(separator: " ")); do
                    deb-systemd-helper unmask "$unit" >/dev/null || true
                    if deb-systemd-helper --quiet was-enabled "$unit"; then
                        deb-systemd-helper enable "$unit" >/dev/null || true
                    else
                        deb-systemd-helper update-state "$unit" >/dev/null || true
                    fi
                done
            \(description.isPrivileged ? "    update-rc.d \(description.application) defaults >/dev/null\n" : "")\
                if [ -z "$IOCOM_UPDATE" ]; then
            \(start(description))\
                fi
                ;;
            esac

            """
    }

    private static func makeUser(_ description: DebianDescription) -> String {
        """
            if ! getent passwd \(description.user) >/dev/null; then
                adduser --quiet --system --group --no-create-home --home /var/lib/iocom/\(description.application) \\
                    --gecos "\(description.application)" \(description.user)
            fi
            if [ ! -d /var/lib/iocom/\(description.application) ]; then
                install -d -m 0755 /var/lib/iocom
                install -d -m 0700 -o \(description.user) -g \(description.user) \\
                    /var/lib/iocom/\(description.application)
            fi

        """
    }

    private static func start(_ description: DebianDescription) -> String {
        let without =
            description.isPrivileged
            ? """
                    else
                        invoke-rc.d \(description.application) restart || true

            """
            : """
                    fi
                    if [ -S /run/iocom/installer.sock ] && command -v iostart >/dev/null; then
                        iostart reload --restart \(description.package) || true

            """
        return """
                    if [ -d /run/systemd/system ]; then
                        systemctl --system daemon-reload >/dev/null || true
                        if [ -n "$2" ]; then
                            deb-systemd-invoke restart \(description.application).service >/dev/null || true
                        else
                            deb-systemd-invoke start \(units(description).joined(separator: " ")) >/dev/null || true
                        fi
            \(without)\
                    fi

            """
    }

    static func prerm(_ description: DebianDescription) -> String {
        let without =
            description.isPrivileged
            ? """
                else
                    invoke-rc.d \(description.application) stop || true

            """ : ""
        return head + """
            if [ "$1" = remove ]; then
                if [ -d /run/systemd/system ]; then
                    deb-systemd-invoke stop \(units(description).joined(separator: " ")) >/dev/null || true
            \(without)\
                fi
            fi

            """
    }

    /// Data goes with a purge; the user stays, as its number may own files elsewhere.
    static func postrm(_ description: DebianDescription) -> String {
        let rest =
            description.isPrivileged
            ? """
            if [ "$1" = purge ]; then
                update-rc.d \(description.application) remove >/dev/null
                rm -rf /var/lib/iocom/installer /var/log/\(description.application).log*
                rmdir --ignore-fail-on-non-empty /var/lib/iocom 2>/dev/null || true
            fi

            """
            : """
            # What is not named any more is ended.
            if [ "$1" = remove ] && [ -S /run/iocom/installer.sock ] && command -v iostart >/dev/null; then
                iostart reload || true
            fi
            if [ "$1" = purge ]; then
                rm -rf /var/lib/iocom/\(description.application) /var/lib/iocom/installer/\(description.package)
                rmdir --ignore-fail-on-non-empty /var/lib/iocom/installer /var/lib/iocom 2>/dev/null || true
            fi

            """
        return head + """
            if [ -d /run/systemd/system ]; then
                systemctl --system daemon-reload >/dev/null || true
            fi
            if command -v deb-systemd-helper >/dev/null; then
                for unit in \(units(description).joined(separator: " ")); do
                    case "$1" in
                    remove)
                        deb-systemd-helper mask "$unit" >/dev/null || true
                        ;;
                    purge)
                        deb-systemd-helper purge "$unit" >/dev/null || true
                        deb-systemd-helper unmask "$unit" >/dev/null || true
                        ;;
                    esac
                done
            fi
            \(rest)
            """
    }
}
