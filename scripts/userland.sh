# shellcheck shell=bash
# Programs of Debian for the machines of vmtest. It is sourced, and takes the
# variables cache and arch of it.
#
#	apt_state   makes apt work on a state of its own
#	userland    prints a cpio archive with the programs for $arch

# What tests run and trace. Without recommendations, about 110 packages with what
# they depend on; usr-is-merged says that /bin is /usr/bin, and saves Perl.
userland_packages=(usr-is-merged dash bash coreutils util-linux mount procps grep sed
	stress-ng sqlite3 python3 libjemalloc2 libmimalloc2.0 libtcmalloc-minimal4)

# apt_state lets apt work on a state of its own: the machine's stays as it is, and
# knows no foreign architecture. It knows of no installed package.
apt_state() {
	local at=${cache:?}/apt
	mkdir -p "$at/state/lists/partial" "$at/cache/archives/partial"
	cat >"$at/apt.conf" <<END
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
Dir::State "$at/state";
Dir::State::status "/dev/null";
Dir::Cache "$at/cache";
Acquire::Languages "none";
Acquire::Retries "3";
END
	export APT_CONFIG=$at/apt.conf
	find "$at/state/lists" -name '*_Packages*' -mmin -720 | grep -q . || apt-get -qq update >&2
}

# newest prints the one of several packages that this release has: a name ends in
# a version, or in t64, by the release.
newest() { # NAME...
	local name
	for name; do
		if apt-cache -q0 show --no-all-versions "$name:${arch:?}" 2>/dev/null | grep '^Filename:' >/dev/null; then
			echo "$name"
			return
		fi
	done
	die "none of the packages $*"
}

# userland makes the archive once for this list of packages.
userland() {
	local archive dir package names=()
	archive=$cache/userland-$arch-$(sha256sum "${BASH_SOURCE[0]}" | cut -c 1-16).cpio
	if [ ! -s "$archive" ]; then
		apt_state
		for package in "${userland_packages[@]}"; do
			case $package in
			libmimalloc2.0) package=$(newest libmimalloc2.0 libmimalloc3) ;;
			libtcmalloc-minimal4) package=$(newest libtcmalloc-minimal4 libtcmalloc-minimal4t64) ;;
			esac
			names+=("$package")
		done
		dir=$(mktemp -d -p "$cache")
		mkdir "$dir/archives" "$dir/archives/partial"
		apt-get -qq -y -o "APT::Architecture=$arch" -o "Dir::Cache::archives=$dir/archives" -o Debug::NoLocking=yes \
			--no-install-recommends --download-only install "${names[@]}" >&2
		unpack "$dir/root" "$dir/archives"/*.deb
		(cd "$dir/root" && find . | cpio --quiet -o -H newc -R 0:0) >"$dir/cpio"
		rm -f "$cache/userland-$arch-"*
		mv "$dir/cpio" "$archive"
		rm -rf "$dir"
	fi
	echo "$archive"
}

# unpack makes the directory that packages are unpacked into, without what only
# people read.
unpack() { # DIRECTORY PACKAGE...
	local root=$1 name
	mkdir "$root"
	for name in bin sbin lib lib64; do
		mkdir -p "$root/usr/$name"
		ln -s "usr/$name" "$root/$name"
	done
	for name in "${@:2}"; do
		dpkg-deb --fsys-tarfile "$name" | tar -x -C "$root" --keep-directory-symlink
	done
	rm -rf "$root"/usr/share/{doc,man,locale,info,lintian,bug,common-licenses,bash-completion,X11,perl5} \
		"$root"/usr/lib/*/{perl,perl-base,gconv,libicudata*} "${root:?}"/var "$root"/usr/lib/python3*/{test,idlelib,lib2to3,ensurepip}
	ln -sf dash "$root/usr/bin/sh" # its package does so as it is installed
	mkdir -p "$root/etc"
	printf '%s\n' root:x:0:0::/root:/bin/sh nobody:x:65534:65534::/:/bin/sh >"$root/etc/passwd"
	printf '%s\n' root:x:0: nogroup:x:65534: >"$root/etc/group"
}
