// Verify checks the public files of a ledger with other people's libraries only: nothing of it comes from this project.
//
//	verify tree        -vkey KEY FOLDER             signature, every entry, every tile, head
//	verify checkpoint  -vkey KEY CHECKPOINT         signature and, with -witness and -quorum, cosignatures
//	verify proof       -vkey KEY PROOF ENTRY        a .tlog-proof of the entry, with -witness and -quorum
//	verify consistency -vkey KEY OLD NEW HASHES     two checkpoints, and a file of Base64 hashes, one a line
//
// It prints one line of JSON. Exit code: 0 verified, 1 not verified, 2 not asked properly.
package main

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/transparency-dev/formats/log"
)

// verdict is what is printed: what was verified, or why not.
type verdict struct {
	OK     bool   `json:"ok"`
	Origin string `json:"origin,omitempty"`
	Size   uint64 `json:"size"`
	Head   string `json:"head,omitempty"`
	Error  string `json:"error,omitempty"`
}

// check verifies the files that it is given, by the keys, and gives the checkpoint that they lead to.
type check struct {
	files int
	run   func(keys keyring, files []string) (*log.Checkpoint, error)
}

var checks = map[string]check{
	"tree":        {1, verifyTree},
	"checkpoint":  {1, verifyCheckpoint},
	"proof":       {2, verifyProof},
	"consistency": {3, verifyConsistency},
}

func main() {
	if len(os.Args) < 2 {
		misused("say what to verify: tree, checkpoint, proof or consistency")
	}
	var keys keyring
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&keys.log, "vkey", "", "public key of the log")
	flags.Var(&keys.witnesses, "witness", "public key of a witness; may be repeated")
	flags.IntVar(&keys.quorum, "quorum", 0, "how many of the witnesses must have cosigned")
	limit := flags.Duration("limit", time.Minute, "give up after this time")
	_ = flags.Parse(os.Args[2:])
	check, known := checks[os.Args[1]]
	if !known || flags.NArg() != check.files || keys.log == "" {
		misused("a check, -vkey and the files that the check takes are needed")
	}

	// A check that does not end has not verified anything: fsck waits for ever once all of its workers have failed.
	time.AfterFunc(*limit, func() { conclude(nil, fmt.Errorf("not done after %s", *limit)) })
	conclude(guarded(func() (*log.Checkpoint, error) { return check.run(keys, flags.Args()) }))
}

// guarded turns a panic into an error: fsck panics on a bundle that holds too few entries.
func guarded(run func() (*log.Checkpoint, error)) (checkpoint *log.Checkpoint, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	return run()
}

func conclude(checkpoint *log.Checkpoint, err error) {
	out, code := verdict{}, 1
	if err != nil {
		out.Error = err.Error()
	} else {
		head := base64.StdEncoding.EncodeToString(checkpoint.Hash)
		out = verdict{OK: true, Origin: checkpoint.Origin, Size: checkpoint.Size, Head: head}
		code = 0
	}
	_ = json.NewEncoder(os.Stdout).Encode(out)
	os.Exit(code)
}

func misused(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(2)
}
