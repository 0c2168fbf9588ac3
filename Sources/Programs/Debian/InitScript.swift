/// The script that starts a privileged service where there is no systemd (LSB init scripts, Debian Policy 9.3).
enum InitScript {
    static func text(_ description: DebianDescription, _ arguments: [String]) -> String {
        let name = description.application
        return """
            #!/bin/sh
            ### BEGIN INIT INFO
            # Provides:          \(name)
            # Required-Start:    $local_fs $remote_fs
            # Required-Stop:     $local_fs $remote_fs
            # Default-Start:     2 3 4 5
            # Default-Stop:      0 1 6
            # Short-Description: \(description.summary)
            ### END INIT INFO

            PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
            program=/usr/bin/\(name)
            pidfile=/run/\(name).pid
            log=/var/log/\(name).log
            [ -x "$program" ] || exit 0
            [ ! -r /etc/default/\(name) ] || . /etc/default/\(name)
            [ ! -r /lib/lsb/init-functions ] || . /lib/lsb/init-functions

            start() {
                # The log is kept from growing for ever.
                if [ -f "$log" ] && [ "$(stat -c %s "$log")" -gt 10000000 ]; then mv -f "$log" "$log.1"; fi
                # Words of OPTIONS are meant to be split.
                start-stop-daemon --start --oknodo --background --make-pidfile --pidfile "$pidfile" --no-close \\
                    --startas "$program" -- \(arguments.joined(separator: " ")) --respawn $OPTIONS >>"$log" 2>&1
            }

            stop() {
                start-stop-daemon --stop --oknodo --retry TERM/300/KILL/5 --pidfile "$pidfile" --remove-pidfile
            }

            case "$1" in
            start) start ;;
            stop) stop ;;
            restart) stop && start ;;
            force-reload) "$program" reload ;;
            status) "$program" status ;;
            *)
                echo "usage: $0 start|stop|restart|force-reload|status" >&2
                exit 2
                ;;
            esac

            """
    }
}
