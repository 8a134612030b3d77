package main

import (
	"context"
	"fmt"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// workers of fsck. Each failure ends one, and fsck hangs when none is left.
const workers = 64

// verifyTree checks a folder twice: with Tessera's fsck, which makes all tiles anew from the entries, and with Go's
// tlog, which proves every entry to the head through the tiles as they are.
//
// An empty tree has a checkpoint with the head SHA-256("") and no file besides: both find nothing to read then.
func verifyTree(keys keyring, files []string) (*log.Checkpoint, error) {
	folder, ctx := client.FileFetcher{Root: files[0]}, context.Background()
	signed, err := folder.ReadCheckpoint(ctx)
	if err != nil {
		return nil, err
	}
	checkpoint, err := keys.open(signed)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(keys.log)
	if err != nil {
		return nil, err
	}
	err = fsck.New(verifier.Name(), verifier, folder, hashBundle, fsck.Opts{N: workers}).Check(ctx)
	if err != nil {
		return nil, fmt.Errorf("fsck: %w", err)
	}
	if err := proveEntries(ctx, folder, checkpoint); err != nil {
		return nil, fmt.Errorf("tlog: %w", err)
	}
	return checkpoint, nil
}

// hashBundle is what fsck makes the tiles from.
func hashBundle(bundle []byte) ([][]byte, error) {
	var read api.EntryBundle
	if err := read.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, len(read.Entries))
	for i, entry := range read.Entries {
		hashes[i] = rfc6962.DefaultHasher.HashLeaf(entry)
	}
	return hashes, nil
}

func proveEntries(ctx context.Context, folder client.FileFetcher, checkpoint *log.Checkpoint) error {
	tree := tlog.Tree{N: int64(checkpoint.Size), Hash: tlog.Hash(checkpoint.Hash)}
	hashes := tlog.TileHashReader(tree, tiles{ctx, folder})
	head, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if head != tree.Hash {
		return fmt.Errorf("the tiles have the head %v, the checkpoint %v", head, tree.Hash)
	}
	for bundle := range layout.Range(0, checkpoint.Size, checkpoint.Size) {
		if err := proveBundle(ctx, folder, hashes, bundle); err != nil {
			return fmt.Errorf("%s: %w", layout.EntriesPath(bundle.Index, bundle.Partial), err)
		}
	}
	return nil
}

func proveBundle(
	ctx context.Context, folder client.FileFetcher, hashes tlog.HashReader, bundle layout.RangeInfo,
) error {
	encoded, err := folder.ReadEntryBundle(ctx, bundle.Index, bundle.Partial)
	if err != nil {
		return err
	}
	var read api.EntryBundle
	if err := read.UnmarshalText(encoded); err != nil {
		return err
	}
	if uint(len(read.Entries)) != bundle.N && len(read.Entries) != layout.EntryBundleWidth {
		return fmt.Errorf("holds %d entries, not %d", len(read.Entries), bundle.N)
	}
	first := int64(bundle.Index) * layout.EntryBundleWidth
	places := make([]int64, bundle.N)
	for i := range places {
		places[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	proven, err := hashes.ReadHashes(places)
	if err != nil {
		return err
	}
	for i, hash := range proven {
		if tlog.RecordHash(read.Entries[i]) != hash {
			return fmt.Errorf("entry %d is not the one in the tree", first+int64(i))
		}
	}
	return nil
}

// tiles gives the tiles of a folder to tlog, which checks each against the head before it uses it.
type tiles struct {
	ctx    context.Context
	folder client.FileFetcher
}

func (t tiles) Height() int { return layout.TileHeight }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(wanted))
	for i, tile := range wanted {
		partial := uint8(tile.W % layout.TileWidth)
		data, err := t.folder.ReadTile(t.ctx, uint64(tile.L), uint64(tile.N), partial)
		if err != nil {
			return nil, err
		}
		if len(data) == layout.TileWidth*tlog.HashSize { // a full tile may stand for a partial one
			data = data[:tile.W*tlog.HashSize]
		}
		read[i] = data
	}
	return read, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
