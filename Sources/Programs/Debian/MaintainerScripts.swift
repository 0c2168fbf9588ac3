/// The scripts that dpkg runs (Debian Policy 6), with the calls that debhelper would make for a service.
///
/// They work with and without systemd: what starts an application where there is none is not their business.
enum MaintainerScripts {
    private static let head = "#!/bin/sh\nset -e\n\n"

    static func postinst(_ description: DebianDescription) -> String {
        let unit = description.application + ".service"
        return head + """
            case "$1" in
            configure | abort-upgrade | abort-deconfigure | abort-remove)
                if ! getent passwd \(description.user) >/dev/null; then
                    adduser --quiet --system --group --no-create-home --home /var/lib/iocom/\(description.application) \\
                        --gecos "\(description.application)" \(description.user)
                fi
                if [ ! -d /var/lib/iocom/\(description.application) ]; then
                    install -d -m 0755 /var/lib/iocom
                    install -d -m 0700 -o \(description.user) -g \(description.user) \\
                        /var/lib/iocom/\(description.application)
                fi
                deb-systemd-helper unmask \(unit) >/dev/null || true
                if deb-systemd-helper --quiet was-enabled \(unit); then
                    deb-systemd-helper enable \(unit) >/dev/null || true
                else
                    deb-systemd-helper update-state \(unit) >/dev/null || true
                fi
                if [ -d /run/systemd/system ]; then
                    systemctl --system daemon-reload >/dev/null || true
                    if [ -n "$2" ]; then action=restart; else action=start; fi
                    deb-systemd-invoke "$action" \(unit) >/dev/null || true
                fi
                ;;
            esac

            """
    }

    static func prerm(_ description: DebianDescription) -> String {
        head + """
            if [ -d /run/systemd/system ] && [ "$1" = remove ]; then
                deb-systemd-invoke stop \(description.application).service >/dev/null || true
            fi

            """
    }

    /// Data goes with a purge; the user stays, as its number may own files elsewhere.
    static func postrm(_ description: DebianDescription) -> String {
        let unit = description.application + ".service"
        return head + """
            if [ -d /run/systemd/system ]; then
                systemctl --system daemon-reload >/dev/null || true
            fi
            if command -v deb-systemd-helper >/dev/null; then
                case "$1" in
                remove)
                    deb-systemd-helper mask \(unit) >/dev/null || true
                    ;;
                purge)
                    deb-systemd-helper purge \(unit) >/dev/null || true
                    deb-systemd-helper unmask \(unit) >/dev/null || true
                    ;;
                esac
            fi
            if [ "$1" = purge ]; then
                rm -rf /var/lib/iocom/\(description.application)
                rmdir --ignore-fail-on-non-empty /var/lib/iocom 2>/dev/null || true
            fi

            """
    }
}
