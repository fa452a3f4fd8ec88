package mysql

import (
	"strings"
	"testing"
)

func TestVersions(t *testing.T) {
	for version, says := range map[string]string{
		"8.0.17": "", "8.0.36-0ubuntu0.22.04.1": "", "8.4.3": "", "9.7.4": "", "10.0.0": "",
		"10.6.0-MariaDB": "", "10.11.19-MariaDB-0+deb12u1": "", "11.4.2-MariaDB-log": "", "5.5.5-10.6.12-MariaDB": "",
		"8.0.16": "8.0.17 or newer", "5.7.44-log": "8.0.17 or newer", "7.9.9": "8.0.17 or newer",
		"10.5.27-MariaDB": "10.6.0 or newer", "5.5.5-10.3.39-MariaDB": "10.6.0 or newer", "8.0.36-MariaDB": "10.6.0 or newer",
		"": "cannot be read", "8": "cannot be read", "eight": "cannot be read",
	} {
		err := server{version: version, mariaDB: strings.Contains(version, "MariaDB")}.check()
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", version, err, says)
		}
	}
}
